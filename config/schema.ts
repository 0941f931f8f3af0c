import { z } from 'zod';
import { auditConfig } from './audit';
import { chaosConfig } from './chaos';
import { connection } from './connection';
import { containmentConfig } from './containment';
import { controlConfig } from './control';
import { degradationConfig } from './degradation';
import { duration } from './duration';
import { erasureConfig } from './erasure';
import { escalationConfig } from './escalation';
import { failureDomainsConfig } from './failure-domains';
import { operatorsConfig } from './operators';
import { payloadsConfig } from './payloads';
import { protectionConfig } from './protection';
import { rateLimitsConfig } from './rate-limits';
import { temporalConfig } from './temporal';
import { checkTiers } from './tier-checks';

const columnList = z.union([
  z
    .string()
    .min(1)
    .transform((one) => [one]),
  z.array(z.string().min(1)).min(1),
]);

/**
 * What a table is to a tenant's restore, where the catalog alone cannot tell:
 * `shared` belongs to nobody, `keep` is never rolled back, `exclude` is not looked at,
 * `path` names the foreign-key column(s) to follow, `column` the tenant column to use.
 */
const tableOverride = z
  .strictObject({
    mode: z.enum(['shared', 'keep', 'exclude']).optional(),
    path: columnList.optional(),
    column: z.string().min(1).optional(),
    /** Columns that only move forward, such as the counter behind gap-free invoice numbers. */
    forward: columnList.optional(),
    /** User triggers that fire even in replica role and may do so during the merge. */
    allowTriggers: columnList.optional(),
  })
  .refine((o) => [o.mode, o.path, o.column].filter((x) => x !== undefined).length <= 1, {
    message: 'give one of mode, path and column',
  });

const tenancy = z.strictObject({
  model: z.enum(['row', 'schema']).default('row'),
  /** `schema.table` with one row per tenant. */
  table: z.string().min(1),
  key: z.string().min(1).default('id'),
  /** Names under which tables carry the tenant's key. */
  columns: columnList.default(['tenant_id']),
  /** Schemas to look at (model `row`). */
  schemas: z.array(z.string().min(1)).min(1).default(['public']),
  /** Schema of one tenant (model `schema`); `{tenant}` stands for the tenant's key. */
  schemaName: z.string().default('{tenant}'),
  /** Keyed by `schema.table`; in model `schema` by `*.table`. */
  overrides: z.record(z.string(), tableOverride).default({}),
});

const backup = z.strictObject({
  provider: z.literal('pgbackrest').default('pgbackrest'),
  stanza: z.string().min(1),
  /** pgBackRest's own configuration file. */
  configFile: z.string().min(1),
  binary: z.string().default('pgbackrest'),
  /** Directory of the PostgreSQL programs for the scratch cluster; found when absent. */
  postgresBin: z.string().optional(),
  scratchDirectory: z.string().default('.chronawflow/scratch'),
  /** Extra settings for the scratch server, such as shared_buffers. */
  scratchSettings: z.record(z.string(), z.string()).default({}),
});

const objective = z.strictObject({ rpo: duration, rto: duration });

const recovery = z.strictObject({
  approvals: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(1),
  approvalTimeout: duration.prefault('24h'),
  freeze: z.enum(['before-preview', 'after-approval']).default('before-preview'),
  /** Longest time a tenant may stand frozen; the gate opens by itself afterwards. */
  freezeLimit: duration.prefault('1h'),
  /** How long one try may wait for the freeze's locks, and so the most that others wait behind it. */
  lockTimeout: duration.prefault('500ms'),
  lockAttempts: z.number().int().min(1).default(20),
  /** Sessions of the application's database that stage and compare a slice's tables side by side. */
  sessions: z.number().int().min(1).max(16).default(2),
  /** Limit for the whole merge transaction. */
  mergeLimit: duration.prefault('30m'),
  undoRetention: duration.prefault('7d'),
  /** `schema.table.column`, or `*.table.column`; shown as *** in previews. */
  sensitiveColumns: z
    .array(
      z.string().regex(/^[^.]+\..+\.[^.]+$/, 'write schema.table.column, or *.table.column for any schema'),
    )
    .default([]),
});

const jobs = z.strictObject({
  /** JavaScript files whose `jobs` are what defineJob returned; loaded by workers and clients. */
  modules: z.array(z.string().min(1)).default([]),
  /** Attempts that one worker process runs at once. */
  slots: z.number().int().min(1).max(1_000).default(20),
  /** Most jobs that Temporal is given and no worker has begun yet, in the whole deployment. */
  handed: z.number().int().min(1).max(10_000).default(32),
  /** How long an attempt that gives no sign keeps its permit. */
  lease: duration.prefault('15s').refine((ms) => ms >= 1_000, { message: 'a lease has at least 1 s' }),
  /** How long a finished job is kept and its key is taken. */
  retention: duration.prefault('7d'),
  tenantInFlight: z.number().int().min(0).default(10),
  /** Most jobs of a tenant that may wait. */
  tenantBacklog: z.number().int().min(0).default(100_000),
  /**
   * What becomes of a job over the backlog: refused, taken all the same, or taken in the place of a less urgent one,
   * which becomes a dead letter.
   */
  overflow: z.enum(['reject', 'defer', 'shed']).default('reject'),
  /** Retries of a tenant's jobs beyond this are put off. */
  retriesPerMinute: z.number().min(1).default(120),
  /** A waiting job rises by one level per this time. */
  ageing: duration.prefault('1m').refine((ms) => ms > 0, { message: 'more than 0' }),
  quarantine: z
    .strictObject({
      /** Attempts in a row, lost with their process while they ran alone in it, after which a job is held back. */
      kills: z.number().int().min(1).max(100).default(3),
      /** Share of failed attempts from which a type of a tenant, or the tenant, is held back; `false` for never. */
      failureShare: z.union([z.literal(false), z.number().gt(0).max(1)]).default(0.9),
      /** Fewer attempts than this within the window say nothing. */
      minEnds: z.number().int().min(1).default(30),
      window: duration.prefault('10m').refine((ms) => ms >= 1_000, { message: 'a window has at least 1 s' }),
      /** How long a rule may stop core types of a tenant. */
      coreLimit: duration.prefault('15m').refine((ms) => ms > 0, { message: 'more than 0' }),
    })
    .prefault({}),
  /** Whether clients connect without Temporal: jobs are then taken all the same, and run when it is back. */
  whenTemporalIsAway: z.enum(['fail', 'outbox']).default('fail'),
  /** Most bytes of one job's input as JSON. */
  maxInput: z.number().int().min(2).default(262_144),
});

const sections = z.strictObject({
  temporal: temporalConfig.prefault({}),
  platform: z.strictObject({
    database: connection,
    /** A direct way to it where `database` leads through a transaction pooler, which LISTEN does not pass. */
    directDatabase: connection.optional(),
  }),
  application: z.strictObject({ database: connection, backup }),
  tenancy,
  objectives: z
    .strictObject({
      tiers: z.record(z.string(), objective).default({}),
      /** Tenant → tier; all others have `defaultTier`. */
      tenants: z.record(z.string(), z.string()).default({}),
      defaultTier: z.string().optional(),
    })
    .prefault({}),
  recovery: recovery.prefault({}),
  jobs: jobs.prefault({}),
  protection: protectionConfig.prefault({}),
  audit: auditConfig.prefault({}),
  control: controlConfig.prefault({}),
  containment: containmentConfig.prefault({}),
  escalation: escalationConfig.prefault({}),
  failureDomains: failureDomainsConfig.prefault({}),
  operators: operatorsConfig.optional(),
  rateLimits: rateLimitsConfig.optional(),
  payloads: payloadsConfig.optional(),
  erasure: erasureConfig.optional(),
  chaos: chaosConfig.optional(),
  degradation: degradationConfig.optional(),
});

export const configSchema = sections.superRefine(checkTiers);

/** The configuration as the rest of the code sees it: defaults filled in, durations in milliseconds. */
export type Config = z.output<typeof configSchema>;
export type TenancyConfig = Config['tenancy'];
export type TableOverride = z.output<typeof tableOverride>;
export type BackupConfig = Config['application']['backup'];
export type RecoveryConfig = Config['recovery'];
export type JobsConfig = Config['jobs'];
export type ChaosConfig = NonNullable<Config['chaos']>;
export type ChaosTarget = ChaosConfig['targets'][string];
export type AuditConfig = Config['audit'];
export type ContainmentConfig = Config['containment'];
export type EscalationConfig = Config['escalation'];
export type FailureDomainsConfig = Config['failureDomains'];
export type OperatorsConfig = NonNullable<Config['operators']>;
export type ProtectionConfig = Config['protection'];
export type ErasureConfig = NonNullable<Config['erasure']>;
export type PayloadsConfig = NonNullable<Config['payloads']>;
export type RateLimitsConfig = NonNullable<Config['rateLimits']>;
