import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection, type WorkflowExecutionDescription } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Pool } from 'pg';
import pino from 'pino';
import { Chronawflow } from '../../client';
import { type Config, parseConfig } from '../../config';
import type { Job } from '../../core/jobs';
import { applyMigrations, type ConnectionSettings } from '../../database';
import { type ChronawflowWorker, createWorker } from '../../workers/create-worker';
import { workflowBundle } from '../workflow/support/workflow-bundle';
import { building, type CleanUp } from './clean-up';
import { type RealPostgres, startPostgres } from './real-postgres';
import { type RealTemporal, startTemporal } from './temporal-server';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Temporal and both databases, real, for one test file of jobs. Tenants: t1 to t9. */
export interface JobStage {
  readonly temporal: RealTemporal;
  readonly postgres: RealPostgres;
  /** The application's database; table `effect (name)` is for jobs' effects. */
  readonly app: Pool;
  readonly platform: Pool;
  readonly bundle: { readonly codePath: string };
  /** Temporal's own, without codec. */
  readonly client: Client;
  describe(workflowId: string): Promise<WorkflowExecutionDescription>;
  terminate(workflowId: string): Promise<void>;
  cancel(workflowId: string): Promise<void>;
  signal(workflowId: string, name: string): Promise<void>;
  query<T>(workflowId: string, name: string): Promise<T>;
  stop(): Promise<void>;
}

export interface JobStageOptions {
  /** Of PostgreSQL, instead of the fast and unsafe ones. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** PostgreSQL listens on TCP as well, for a proxy before it. */
  readonly tcp?: boolean;
  /** Workflows bundled for encrypted payloads; their keys are the scene's section `payloads`. */
  readonly encrypted?: boolean;
  /** Of Temporal, as for `startTemporal`. */
  readonly dynamicConfig?: readonly string[];
}

export function startJobStage({
  settings,
  tcp,
  encrypted,
  dynamicConfig,
}: JobStageOptions = {}): Promise<JobStage> {
  return building(async (cleanUp) => {
    const [temporal, postgres, bundle] = await Promise.all([
      startTemporal({ file: true, dynamicConfig }),
      startPostgres({ settings: { max_connections: 200, ...settings }, tcp }),
      workflowBundle({ encrypted }),
    ]);
    cleanUp.add(() => temporal.stop());
    cleanUp.add(() => postgres.stop());
    const platform = await postgres.createDatabase('platform');
    const app = await postgres.createDatabase('app');
    await Promise.all([applyMigrations(platform, 'platform'), applyMigrations(app, 'application')]);
    await app.query(
      `create table tenants (id text primary key);
       insert into tenants select 't' || n from generate_series(1, 9) n;
       create table effect (name text not null)`,
    );
    const connection = await Connection.connect({ address: temporal.address });
    cleanUp.add(() => connection.close());
    const client = new Client({ connection });
    const { workflow } = client;
    return {
      temporal,
      postgres,
      app,
      platform,
      bundle,
      client,
      describe: (workflowId) => workflow.getHandle(workflowId).describe(),
      terminate: async (workflowId) => {
        await workflow.getHandle(workflowId).terminate('by a test');
      },
      query: (workflowId, name) => workflow.getHandle(workflowId).query(name),
      signal: (workflowId, name) => workflow.getHandle(workflowId).signal(name),
      cancel: async (workflowId) => {
        await workflow.getHandle(workflowId).cancel();
      },
      stop: () => cleanUp.run(),
    };
  });
}

export type JobSettings = Readonly<Record<string, unknown>>;

/** The configuration of a deployment of its own: another task queue; the queue's tables are the stage's. */
export function jobConfig(
  stage: JobStage,
  jobs: JobSettings = {},
  taskQueue = `q-${randomUUID()}`,
  sections: object = {},
): Config {
  return parseConfig(JSON.stringify({ ...rawJobConfig(stage, jobs, taskQueue), ...sections }), {
    file: join(stage.postgres.directory, 'chronawflow.yaml'),
    env: {},
  });
}

/** @param reach how the workers reach the application's database; directly by default */
export function rawJobConfig(
  stage: JobStage,
  jobs: JobSettings,
  taskQueue: string,
  reach: Pick<ConnectionSettings, 'host' | 'port'> = stage.postgres.connection('app'),
): object {
  return {
    temporal: { address: stage.temporal.address, taskQueue },
    platform: { database: stage.postgres.connection('platform') },
    application: {
      database: { ...stage.postgres.connection('app'), host: reach.host, port: reach.port },
      backup: { stanza: 'none', configFile: 'none', scratchDirectory: 'scratch' },
    },
    tenancy: { table: 'public.tenants' },
    jobs,
  };
}

export interface RunningWorker {
  readonly worker: ChronawflowWorker;
  /** Like SIGTERM. */
  stop(): Promise<void>;
}

export async function startJobWorker(
  stage: JobStage,
  config: Config,
  jobs: readonly Job[],
): Promise<RunningWorker> {
  const worker = await createWorker({
    config,
    jobs,
    log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
    workflows: { workflowBundle: stage.bundle },
  });
  const ended = worker.run();
  return {
    worker,
    stop: async () => {
      worker.shutdown();
      await ended;
    },
  };
}

/** A client and a worker, and nothing in the queue that other tests left. */
export async function openJobScene(
  stage: JobStage,
  cleanUp: CleanUp,
  jobs: readonly Job[],
  settings: JobSettings = {},
  sections: object = {},
): Promise<{ readonly cf: Chronawflow; readonly config: Config; readonly worker: RunningWorker }> {
  await clearQueue(stage);
  const config = jobConfig(stage, settings, undefined, sections);
  const worker = await startJobWorker(stage, config, jobs);
  cleanUp.add(() => worker.stop());
  const cf = await Chronawflow.connect({ config, jobs });
  cleanUp.add(() => cf.close());
  return { cf, config, worker };
}

export async function clearQueue(stage: JobStage): Promise<void> {
  await stage.app.query(
    `truncate chronawflow.job, chronawflow.dead_letter, chronawflow.job_limit, chronawflow.job_hold,
       chronawflow.job_outcome, chronawflow.job_retry_budget, chronawflow.job_worker, chronawflow.idempotency, chronawflow.undone_effect,
       chronawflow.audit_outbox, effect`,
  );
}
