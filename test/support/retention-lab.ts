import type { Pool } from 'pg';
import { type Config, configSchema } from '../../config';
import { generateSigningKey, recordAuditEvent, Sealer, verifyDatabase } from '../../core/audit';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { preparePlatformDatabase } from '../../core/local-stack';
import { type RetentionReport, retain } from '../../core/retention';
import type { ConnectionSettings } from '../../database';
import { type RealPostgres, startPostgres } from './real-postgres';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';

export const RETENTION_KEY = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: RETENTION_KEY });

/** What most tests ask for. */
export const RETENTION_REQUEST = { by: 'grace', reason: 'policy 7', olderThan: 1 };

/** How much there is of a tenant. */
export interface TenantRows {
  readonly events: number;
  readonly entries: number;
  readonly personal: number;
}

/** A control plane's database with its roles, and a sealer that is asked. */
export class RetentionLab {
  private static count = 0;
  private readonly directories: string[] = [];

  private constructor(
    private readonly postgres: RealPostgres,
    readonly name: string,
    readonly owner: Pool,
    /** The running role. */
    readonly platform: Pool,
    /** The role that drops. */
    readonly retainer: Pool,
  ) {}

  static async open(postgres: RealPostgres): Promise<RetentionLab> {
    RetentionLab.count += 1;
    const name = `retention_${RetentionLab.count}`;
    const { socketDirectory: host, port } = postgres;
    await preparePlatformDatabase(
      { host, port, user: 'postgres' },
      { database: name, role: 'chronawflow', password: undefined },
    );
    await postgres.connect('postgres', undefined, 1).query('alter role chronawflow_retention login');
    return new RetentionLab(
      postgres,
      name,
      postgres.connect(name, undefined, 4),
      postgres.connect(name, 'chronawflow', 4),
      postgres.connect(name, 'chronawflow_retention', 2),
    );
  }

  get pools(): { readonly platform: Pool; readonly retainer: Pool } {
    return { platform: this.platform, retainer: this.retainer };
  }

  /** Removed by `removeDirectories`. */
  async ownDirectory(what: string): Promise<string> {
    const directory = await throwawayDirectory(what);
    this.directories.push(directory);
    return directory;
  }

  async removeDirectories(): Promise<void> {
    for (const directory of this.directories.splice(0)) await removeDirectory(directory);
  }

  /** Events of a tenant, sealed; every 50th has personal data. */
  async record(tenant: string, events: number, from = 0): Promise<void> {
    await this.owner.query(
      `insert into chronawflow.audit_event (id, actor, action, tenant, outcome, details)
       select $1 || n, 'ada', 'test', $1, 'ok', jsonb_build_object('n', n) from generate_series($2::int, $3::int) n where n % 50 <> 0`,
      [tenant, from, from + events - 1],
    );
    for (let n = from; n < from + events; n += 50) {
      const personal = { subject: 'ada@example.org', data: { name: `Ada ${n}` } };
      const id = `${tenant}${n}`;
      await recordAuditEvent(this.owner, {
        id,
        actor: 'ada',
        action: 'test',
        tenant,
        outcome: 'ok',
        personal,
      });
    }
    await this.sealAll();
  }

  async sealAll(): Promise<void> {
    while ((await sealBatch(this.owner, signer)).events > 0);
  }

  /** While a sealer runs, as it does. */
  async retaining<T>(work: () => Promise<T>): Promise<T> {
    const sealer = new Sealer(this.owner, signer, { restMs: 20 });
    const running = sealer.run();
    try {
      return await work();
    } finally {
      sealer.stop();
      await running;
      await this.sealAll();
    }
  }

  retainAll(wanted: { readonly tenant?: string } = {}): Promise<RetentionReport> {
    return this.retaining(() => retain(this.pools, { ...RETENTION_REQUEST, ...wanted }));
  }

  verify() {
    return verifyDatabase(this.platform, RETENTION_KEY);
  }

  async problems(): Promise<string[]> {
    return (await this.verify()).violations.map(({ problem }) => problem);
  }

  async rowsOf(tenant: string): Promise<TenantRows | undefined> {
    const { rows } = await this.owner.query<TenantRows>(
      `select (select count(*) from chronawflow.audit_event where tenant = $1 and action = 'test')::int as events,
              (select count(*) from chronawflow.audit_place n join chronawflow.audit_log l on l.id = n.log where l.tenant = $1)::int as entries,
              (select count(*) from chronawflow.audit_personal where tenant = $1)::int as personal`,
      [tenant],
    );
    return rows[0];
  }

  connection(user?: string): ConnectionSettings {
    return this.postgres.connection(this.name, user);
  }

  retentionConfig(keep: string, every: string | false): Config {
    return configSchema.parse({
      platform: { database: this.connection() },
      application: { database: this.connection(), backup: { stanza: 'none', configFile: 'none' } },
      tenancy: { table: 'public.tenants' },
      audit: { retention: { keep, every, database: this.connection('chronawflow_retention') } },
    });
  }

  /** What somebody can do who has the database. */
  async withoutTriggers(...statements: readonly string[]): Promise<void> {
    const guards = ['audit_event', 'audit_bundle', 'audit_dropped', 'audit_retention'].map(
      (table) => [`alter table chronawflow.${table}`, `trigger ${table}_insert_only`] as const,
    );
    for (const [table, trigger] of guards) await this.owner.query(`${table} disable ${trigger}`);
    for (const statement of statements) await this.owner.query(statement);
    for (const [table, trigger] of guards) await this.owner.query(`${table} enable always ${trigger}`);
  }
}

/** For one test file: a server for all its tests, and a lab for each, handed to `take`. */
export function useRetentionLab(take: (lab: RetentionLab) => void): void {
  let postgres: RealPostgres;
  let lab: RetentionLab | undefined;
  beforeAll(async () => {
    // An analysis that runs just then would keep events from being sealed.
    postgres = await startPostgres({ settings: { autovacuum: false } });
  });
  beforeEach(async () => {
    lab = await RetentionLab.open(postgres);
    take(lab);
  });
  afterEach(() => lab?.removeDirectories());
  afterAll(() => postgres?.stop());
}
