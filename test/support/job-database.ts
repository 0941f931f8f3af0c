import type { Pool } from 'pg';
import type { z } from 'zod';
import { type Config, type configSchema, parseConfig } from '../../config';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from './real-postgres';

/** An application's database with tenants and the queue's tables, for tests that need no Temporal. */
export interface JobDatabase {
  readonly postgres: RealPostgres;
  readonly pool: Pool;
  configWith(jobs?: z.input<typeof configSchema>['jobs']): Config;
  stop(): Promise<void>;
}

const TWO_TENANTS = `create table tenants (id text primary key); insert into tenants values ('a'), ('b')`;

export async function startJobDatabase({
  tenants = TWO_TENANTS,
  connections = 10,
}: {
  readonly tenants?: string;
  readonly connections?: number;
} = {}): Promise<JobDatabase> {
  const postgres = await startPostgres();
  await postgres.createDatabase('app');
  const pool = postgres.connect('app', 'postgres', connections);
  await applyMigrations(pool, 'application');
  await pool.query(tenants);
  return {
    postgres,
    pool,
    configWith: (jobs) => {
      const raw = {
        platform: { database: postgres.connection('app') },
        application: {
          database: postgres.connection('app'),
          backup: { stanza: 'none', configFile: 'none', scratchDirectory: 'none' },
        },
        tenancy: { table: 'public.tenants' },
        jobs,
      };
      return parseConfig(JSON.stringify(raw), { file: '/none/chronawflow.yaml', env: {} });
    },
    stop: () => postgres.stop(),
  };
}
