import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { stringify } from 'yaml';
import { formatVerifierKey, generateSigningKey, LogSigner, type VerifierKey } from '../../core/audit';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../../test/support/real-postgres';
import type { Bench } from '../support/run-benchmark';

export interface AuditScene {
  readonly directory: string;
  readonly postgres: RealPostgres;
  /** A new, migrated control-plane database. */
  database(name: string): Promise<Pool>;
  readonly key: VerifierKey;
  readonly signer: LogSigner;
  /** A configuration for the command line, for one of the databases. */
  configFor(database: string): Promise<string>;
}

/** A server with everything on that makes a commit durable, and memory as somebody gives it. */
export async function openAuditScene(bench: Bench): Promise<AuditScene> {
  const directory = await mkdtemp(join(tmpdir(), 'chronawflow-bench-audit-'));
  bench.cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  const starting = startPostgres({
    settings: {
      fsync: true,
      full_page_writes: true,
      synchronous_commit: true,
      shared_buffers: '512MB',
      max_wal_size: '4GB',
      checkpoint_timeout: '1h',
      autovacuum: false,
    },
  });
  bench.cleanUp.add(async () => (await starting.catch(() => undefined))?.stop());
  const postgres = await bench.progress.during('start PostgreSQL', () => starting);
  const key = generateSigningKey('example.org/audit', 'ed25519');
  const quantumSafe = generateSigningKey('example.org/audit', 'cosignature-ml-dsa-44');
  return {
    directory,
    postgres,
    key,
    signer: new LogSigner({ log: key, quantumSafe }),
    database: async (name) => {
      await (await postgres.createDatabase(name)).end();
      const pool = postgres.connect(name, undefined, 17);
      await applyMigrations(pool, 'platform');
      return pool;
    },
    configFor: async (database) => {
      const file = join(directory, `${database}.yaml`);
      const connection = postgres.connection(database);
      const config = {
        platform: { database: connection },
        application: {
          database: connection,
          backup: { stanza: 'none', configFile: 'none', scratchDirectory: directory },
        },
        tenancy: { table: 'public.tenants' },
        audit: { publicKey: formatVerifierKey(key) },
      };
      await writeFile(file, stringify(config), { mode: 0o600 });
      return file;
    },
  };
}
