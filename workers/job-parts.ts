import { Client, Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { createJobActivities } from '../activities/jobs';
import type { JobActivities } from '../activities/types';
import type { Config } from '../config';
import { Dispatcher, type Job, JobRunner, jobsByType, jobTaskQueue } from '../core/jobs';
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

/** Every attempt may hold a connection in `ctx.once`; claims and batches take two more. */
const CONNECTIONS_BESIDE_SLOTS = 2;
const MOST_CONNECTIONS = 50;

export async function jobParts(config: Config, jobs: readonly Job[], log: Logger): Promise<JobParts> {
  const byType = jobsByType(jobs);
  const { temporal } = config;
  const taskQueue = jobTaskQueue(temporal.taskQueue);
  const connection = await Connection.connect({
    address: temporal.address,
    tls: temporal.tls,
    apiKey: temporal.apiKey,
  });
  const client = new Client({ connection, namespace: temporal.namespace });
  const options = { applicationName: 'chronawflow jobs' };
  const pool = createPool(config.application.database, {
    ...options,
    max: Math.min(MOST_CONNECTIONS, config.jobs.slots),
  });
  // Leases and claims never wait for a connection that a job's transaction holds.
  const queue = createPool(config.application.database, { ...options, max: 1 + CONNECTIONS_BESIDE_SLOTS });
  const runner = new JobRunner({
    pool: queue,
    application: pool,
    jobs: byType,
    leaseMs: config.jobs.lease,
    retentionMs: config.jobs.retention,
    retriesPerMinute: config.jobs.retriesPerMinute,
    log,
  });
  const dispatcher = new Dispatcher({
    pool: queue,
    config: config.jobs,
    jobs: byType,
    log,
    handOver: handOverTo(client, taskQueue, byType),
    settleLost: (job) => runner.findEnd(job),
  });
  return {
    taskQueue,
    slots: config.jobs.slots,
    activities: createJobActivities({ runner, onEnd: () => dispatcher.poke() }),
    start: () => dispatcher.start(),
    stopDispatching: () => dispatcher.stop(),
    close: async () => {
      await dispatcher.stop();
      runner.close();
      await Promise.all([pool.end(), queue.end(), connection.close()]);
    },
  };
}
