import { randomUUID } from 'node:crypto';
import { Client, type ClientOptions } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createJobActivities } from '../activities/jobs';
import type { JobActivities } from '../activities/types';
import type { Config } from '../config';
import {
  Dispatcher,
  FailureWatch,
  type Job,
  JobMetrics,
  JobQueue,
  JobRunner,
  jobsByType,
  jobTaskQueue,
} from '../core/jobs';
import { type BreakerKey, type BreakerRegistry, ProtectedCalls } from '../core/protection';
import type { ConfiguredRateLimits } from '../core/rate-limit';
import { createPool } from '../database';
import { handOverTo } from './hand-over';

/** What a worker needs for jobs. */
export interface JobParts {
  readonly taskQueue: string;
  readonly slots: number;
  readonly activities: JobActivities;
  /** Begins to hand over; call it when the worker can take what comes. */
  start(): void;
  /** Nothing more is handed over by this process; what runs goes on. */
  stopDispatching(): Promise<void>;
  close(): Promise<void>;
}

/** Completions go one batch at a time; failures come one by one. */
const QUEUE_CONNECTIONS = 3;
/** A claim, a batch of beginnings, a renewal. */
const PERMIT_CONNECTIONS = 3;
/** Every attempt may hold a connection in `ctx.once`; more slots than this wait for each other there. */
const MOST_CONNECTIONS = 50;

/** What jobs share with the rest of the worker's process; closed by the caller. */
export interface ProcessParts {
  /** The workers' own: what it starts can begin in this process at once (hand-over.ts). */
  readonly connection: NativeConnection;
  /** For `ctx.call`. */
  readonly breakers: BreakerRegistry;
  readonly limits: ConfiguredRateLimits | undefined;
  /** Priorities whose jobs wait at the present level of degradation. */
  readonly heldPriorities?: () => readonly number[];
  /** Read only: no job may begin. */
  readonly writesRefused?: () => boolean;
  /** How payloads are encoded; the SDK's own way without. */
  readonly dataConverter?: ClientOptions['dataConverter'];
}

export function jobParts(
  config: Config,
  jobs: readonly Job[],
  { connection, breakers, limits, dataConverter, heldPriorities, writesRefused }: ProcessParts,
  log: Logger,
): JobParts {
  const byType = jobsByType(jobs);
  const { temporal } = config;
  const taskQueue = jobTaskQueue(temporal.taskQueue);
  const client = new Client({ connection, namespace: temporal.namespace, dataConverter });
  const options = { applicationName: 'chronawflow jobs' };
  const pool = createPool(config.application.database, {
    ...options,
    max: Math.min(MOST_CONNECTIONS, config.jobs.slots),
  });
  // Permits and outcomes never wait for a connection that a job's transaction holds.
  const queue = createPool(config.application.database, { ...options, max: QUEUE_CONNECTIONS });
  const permits = createPool(config.application.database, {
    ...options,
    max: PERMIT_CONNECTIONS,
    sessionSettings: { synchronous_commit: 'off' },
  });
  const metrics = new JobMetrics();
  const process = randomUUID();
  const failures = new FailureWatch({ pool: queue, jobs: byType, rules: config.jobs.quarantine, log });
  const runner = new JobRunner({
    failures,
    process,
    killsAlone: config.jobs.quarantine.kills,
    metrics,
    calls: new ProtectedCalls({ breakers, log, admit: admission(config, limits) }),
    pool: queue,
    permits,
    application: pool,
    jobs: byType,
    leaseMs: config.jobs.lease,
    retentionMs: config.jobs.retention,
    retriesPerMinute: config.jobs.retriesPerMinute,
    log,
  });
  const dispatcher = new Dispatcher({
    failures,
    process,
    metrics,
    pool: queue,
    permits,
    config: config.jobs,
    jobs: byType,
    heldPriorities,
    writesRefused,
    log,
    handOver: handOverTo(client, taskQueue, byType),
    settleLost: (job) => runner.findEnd(job),
  });
  const submissions = new JobQueue({
    pool: queue,
    config: config.jobs,
    tenancy: config.tenancy,
    jobs: byType,
  });
  return {
    taskQueue,
    slots: config.jobs.slots,
    activities: createJobActivities({ runner, queue: submissions, onEnd: () => dispatcher.poke() }),
    start: () => dispatcher.start(),
    stopDispatching: () => dispatcher.stop(),
    close: async () => {
      await dispatcher.stop();
      runner.close();
      metrics.close();
      await Promise.all([pool.end(), queue.end(), permits.end()]);
    },
  };
}

/** A call to a service that has a rule of its own under `rateLimits.resources` is one of its tenant's units. */
function admission({ rateLimits }: Config, limits: ConfiguredRateLimits | undefined) {
  return ({ tenant, service }: BreakerKey) =>
    rateLimits?.resources[service] === undefined ? undefined : limits?.limiter.enforce(tenant, service);
}
