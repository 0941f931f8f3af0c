import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Pool } from 'pg';
import { z } from 'zod';
import { Chronawflow, defineBatchJob, defineJob } from '../../client';
import {
  clearQueue,
  type JobStage,
  jobConfig,
  startJobStage,
  startJobWorker,
} from '../../test/support/job-stage';
import type { Bench } from '../support/run-benchmark';

/** As PostgreSQL is run where data matters. */
const DURABLE = { fsync: true, full_page_writes: true, synchronous_commit: true };

/** Slots of either side's worker in the comparison of rates. */
const SLOTS = 20;

export interface BenchJobs {
  /** Milliseconds that a `work` job takes. */
  workMs: number;
  /** Told when a `work` job of this tenant has ended, on either side. */
  onWorked: (tenant: string) => void;
}

export interface JobsScene {
  readonly stage: JobStage;
  readonly client: Client;
  readonly app: Pool;
  readonly shared: BenchJobs;
  /** A bare worker with this many slots on a queue of its own. */
  startBare(
    slots: number,
    options?: Pick<WorkerOptions, 'maxEagerActivityReservationsPerWorkflowTask'>,
  ): Promise<Side>;
  /** Chronawflow's worker with this many slots, and a client for it. */
  startChronawflow(slots: number): Promise<Side & { readonly cf: Chronawflow }>;
}

export interface Side {
  readonly taskQueue: string;
  stop(): Promise<void>;
}

const item = z.object({ n: z.number() });

function jobsOf(shared: BenchJobs) {
  return [
    defineJob({ type: 'nothing', input: item, run: async () => 'done' }),
    defineJob({
      type: 'insert',
      input: item,
      run: (ctx, { n }) =>
        ctx.once('insert', async (tx) => {
          await tx.query('insert into bench_effect (tenant, n) values ($1, $2)', [ctx.tenant, n]);
          return 'done';
        }),
    }),
    defineBatchJob({
      type: 'batch',
      item: z.number().int(),
      itemKey: String,
      chunkSize: 2_000,
      runBatch: async (ctx, items, tx) => {
        await tx.query('insert into bench_effect (tenant, n) select $1, unnest($2::integer[])', [
          ctx.tenant,
          items,
        ]);
      },
    }),
    defineJob({
      type: 'work',
      input: item,
      run: async (ctx) => {
        await sleep(shared.workMs);
        shared.onWorked(ctx.tenant);
      },
    }),
  ];
}

/** Temporal's dev server, one durable PostgreSQL for all sides, and their workers in this process. */
export async function openJobsScene(bench: Bench): Promise<JobsScene> {
  const { progress, cleanUp } = bench;
  const stage = await progress.during('starting the servers', () => startJobStage({ settings: DURABLE }));
  cleanUp.add(() => stage.stop());
  const { app } = stage;
  await app.query('create table bench_effect (tenant text not null, n integer not null)');
  const shared: BenchJobs = { workMs: 0, onWorked: () => undefined };
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('./bare-workflows'),
    logger: new DefaultLogger('ERROR'),
  });
  const native = await NativeConnection.connect({ address: stage.temporal.address });
  cleanUp.add(() => native.close());
  const connection = await Connection.connect({ address: stage.temporal.address });
  cleanUp.add(() => connection.close());
  const insertPool = stage.postgres.connect('app', 'postgres', SLOTS);
  let queues = 0;
  return {
    stage,
    client: new Client({ connection }),
    app,
    shared,
    startBare: async (slots, options = {}) => {
      queues += 1;
      const taskQueue = `bare-${queues}`;
      const worker = await Worker.create({
        connection: native,
        taskQueue,
        workflowBundle,
        maxConcurrentActivityTaskExecutions: slots,
        ...options,
        activities: {
          nothing: async () => 'done',
          insert: async ({ tenant, n }: { tenant: string; n: number }) => {
            await insertPool.query('insert into bench_effect (tenant, n) values ($1, $2)', [tenant, n]);
            return 'done';
          },
          work: async ({ tenant }: { tenant: string }) => {
            await sleep(shared.workMs);
            shared.onWorked(tenant);
          },
        },
      });
      return stoppable(cleanUp, taskQueue, worker.run(), async () => worker.shutdown());
    },
    startChronawflow: async (slots) => {
      await clearQueue(stage);
      const jobs = jobsOf(shared);
      const config = jobConfig(stage, { slots, tenantInFlight: 50 });
      const worker = await startJobWorker(stage, config, jobs);
      const cf = await Chronawflow.connect({ config, jobs });
      const side = stoppable(cleanUp, config.temporal.taskQueue, Promise.resolve(), async () => {
        await cf.close();
        await worker.stop();
      });
      return { ...side, cf };
    },
  };
}

function stoppable(
  cleanUp: Bench['cleanUp'],
  taskQueue: string,
  ended: Promise<void>,
  end: () => Promise<void>,
): Side {
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= end().then(() => ended);
    return stopped;
  };
  cleanUp.add(stop);
  return { taskQueue, stop };
}

export { SLOTS };
