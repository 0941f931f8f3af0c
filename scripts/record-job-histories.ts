/**
 * `node -r ./scripts/register.cjs scripts/record-job-histories.ts`: one history for each way through `tenantJob`, kept
 * like those of record-histories.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { JobHandle } from '../client';
import { deferredJobId, defineJob, jobScheduleId } from '../core/jobs';
import { CleanUp } from '../test/support/clean-up';
import { type JobStage, openJobScene, startJobStage } from '../test/support/job-stage';
import { until } from '../test/support/until';
import { around, recordStories } from './histories/record-stories';
import { saveHistory } from './histories/save-history';

const job = defineJob({
  type: 'story',
  input: z.object({ failures: z.number(), endless: z.boolean().default(false) }),
  retry: { maxAttempts: 3, initial: 50, max: 100 },
  run: async (ctx, { failures, endless }) => {
    if (endless) await sleep(600_000, undefined, { signal: ctx.signal });
    if (ctx.attempt <= failures) throw new Error('the bank does not answer');
  },
});

interface Story {
  readonly input: { readonly failures: number; readonly endless?: boolean };
  during?(handle: JobHandle, stage: JobStage): Promise<void>;
}

const running = (handle: JobHandle) => until(async () => (await handle.status()).state === 'running');

const STORIES: Readonly<Record<string, Story>> = {
  'job-done': { input: { failures: 0 } },
  'job-retried': { input: { failures: 2 } },
  'job-dead': { input: { failures: 9 } },
  'job-cancelled': {
    input: { failures: 0, endless: true },
    during: async (handle) => {
      await running(handle);
      await handle.cancel();
    },
  },
  // Its permit lapses: the attempt is told, and another one follows.
  'job-attempt-lost': {
    input: { failures: 1, endless: true },
    during: async (handle, stage) => {
      await running(handle);
      await stage.app.query(
        `update chronawflow.job set lease_until = clock_timestamp() where state = 'running'`,
      );
      await until(async () => (await handle.status()).attempts > 1, { limitMs: 60_000 });
      await handle.cancel();
    },
  },
};

async function record(stage: JobStage, name: string, story: Story): Promise<void> {
  const cleanUp = new CleanUp();
  try {
    const { cf } = await openJobScene(stage, cleanUp, [job]);
    const handle = await cf.jobs.submit({ tenant: 't1', type: 'story', key: name, input: story.input });
    await story.during?.(handle, stage);
    // However the job ends, its history is what is wanted.
    await handle.result().catch((error: unknown) => error);
    await until(async () => (await stage.describe(handle.workflowId)).status.name !== 'RUNNING');
    await saveHistory(stage.temporal, handle.workflowId, name);
  } finally {
    await cleanUp.run();
  }
}

/** One run of a schedule, as if its time were now. */
async function recordScheduled(stage: JobStage, name: string): Promise<void> {
  const cleanUp = new CleanUp();
  try {
    const { cf } = await openJobScene(stage, cleanUp, [job]);
    await cf.jobs.schedule({ tenant: 't1', name, type: 'story', input: { failures: 0 }, every: '1s' });
    const first = async () => (await cf.jobs.list({ tenant: 't1', states: ['done'] })).at(-1);
    await until(async () => (await first()) !== undefined);
    await cf.jobs.schedules.remove('t1', name);
    const at = (await first())?.key.split('/').at(-1);
    const runId = `${jobScheduleId('t1', name)}-${at}`;
    await until(async () => (await stage.describe(runId)).status.name !== 'RUNNING');
    await saveHistory(stage.temporal, runId, name);
  } finally {
    await cleanUp.run();
  }
}

/** A job that is put off while the database refuses writes. */
async function recordDeferred(stage: JobStage, name: string): Promise<void> {
  const cleanUp = new CleanUp();
  const admin = stage.postgres.connect();
  const set = async (setting: string) => {
    await admin.query(`alter system ${setting}`);
    await admin.query('select pg_reload_conf()');
  };
  try {
    const { cf } = await openJobScene(stage, cleanUp, [job]);
    const request = { tenant: 't1', type: 'story', key: name, input: { failures: 0 } };
    await set('set default_transaction_read_only = on');
    const handle = await cf.jobs.defer(request);
    const workflowId = deferredJobId(request);
    const tried = async () => {
      const { raw } = await stage.describe(workflowId);
      return (raw.pendingActivities?.[0]?.attempt ?? 0) > 1;
    };
    await until(tried, { what: 'the first attempt to be refused' });
    await set('reset default_transaction_read_only');
    await until(async () => (await stage.describe(workflowId)).status.name !== 'RUNNING');
    await handle.result();
    await saveHistory(stage.temporal, workflowId, name);
  } finally {
    await set('reset default_transaction_read_only');
    await cleanUp.run();
  }
}

recordStories(
  { ...around(STORIES, record), 'job-scheduled': recordScheduled, 'job-deferred': recordDeferred },
  () => startJobStage(),
);
