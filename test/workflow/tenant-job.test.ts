import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Chronawflow } from '../../client';
import { defineJob } from '../../core/jobs';
import type { CleanUp } from '../support/clean-up';
import { type JobStage, jobConfig, openJobScene, startJobWorker } from '../support/job-stage';
import { effectsOf, post, useJobStage } from '../support/job-stages';
import { until } from '../support/until';

let stage: JobStage;
let cleanUp: CleanUp;
useJobStage((opened) => {
  ({ stage, cleanUp } = opened);
});

const effects = (name: string) => effectsOf(stage, name);

test('a job runs once, and the same key and input is the same job with its result', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  const request = { tenant: 't1', type: 'post', key: 'k1', input: { name: 'once' } };
  const first = await cf.jobs.submit(request);
  expect(await first.result()).toEqual({ posted: 'once' });
  const second = await cf.jobs.submit(request);
  expect(second.workflowId).toBe('job/t1/post/k1');
  expect(await second.result()).toEqual({ posted: 'once' });
  expect(await effects('once')).toBe(1);
  expect(await second.status()).toMatchObject({ state: 'done', attempts: 1, errors: [] });
});

test('the same key with another input is refused, also after completion, and audited', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  const request = { tenant: 't1', type: 'post', key: 'k2', input: { name: 'a' } };
  await (await cf.jobs.submit(request)).result();
  await expect(cf.jobs.submit({ ...request, input: { name: 'b' } })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
  });
  await until(async () => {
    const { rows } = await stage.platform.query(
      `select from chronawflow.audit_event
       where action = 'job.rejected' and tenant = 't1' and object = 'post/k2' and outcome = 'IDEMPOTENCY_KEY_REUSED'`,
    );
    return rows.length === 1;
  });
});

test.each([
  ['an unknown type', { type: 'pots' }, 'UNKNOWN_JOB_TYPE'],
  ['a wrong input', { input: { name: 1 } }, 'INVALID_INPUT'],
  ['a key that is too long', { key: 'k'.repeat(301) }, 'INVALID_INPUT'],
  ['an unknown tenant', { tenant: 'nobody' }, 'UNKNOWN_TENANT'],
  ['an input that is too large', { input: { name: 'x'.repeat(300_000) } }, 'INPUT_TOO_LARGE'],
])('%s is told at submission, and nothing is queued', async (_, wrong, code) => {
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  const request = { tenant: 't1', type: 'post', key: 'k', input: { name: 'x' }, ...wrong };
  await expect(cf.jobs.submit(request)).rejects.toMatchObject({ code });
  expect(await cf.jobs.list()).toEqual([]);
});

test('submitMany gives every item its outcome, and one that is refused keeps no other out', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  const item = (key: string, input: unknown = { name: key }) => ({ tenant: 't1', type: 'post', key, input });
  const outcomes: string[] = [];
  const items = [item('a'), item('b', 7), item('c'), item('a'), item('a', { name: 'other' })];
  for await (const one of cf.jobs.submitMany(items)) {
    outcomes.push(one.outcome === 'refused' ? one.error.code : one.outcome);
  }
  expect(outcomes).toEqual(['submitted', 'INVALID_INPUT', 'submitted', 'known', 'IDEMPOTENCY_KEY_REUSED']);
  expect(await cf.jobs.handle(item('c')).result()).toEqual({ posted: 'c' });
});

test('a failed attempt is tried again, its step stays done, and its error is kept', async () => {
  const flaky = defineJob({
    type: 'flaky',
    input: z.object({}),
    retry: { initial: 20, max: 50 },
    run: async (ctx) => {
      await ctx.once('first', async (tx) => {
        await tx.query(`insert into effect values ('flaky')`);
      });
      if (ctx.attempt < 3) throw new Error('the bank does not answer');
      return ctx.idempotencyKey('pay');
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [flaky]);
  const job = await cf.jobs.submit({ tenant: 't1', type: 'flaky', key: 'k', input: {} });
  expect(await job.result()).toMatch(/^[0-9a-f]{32}$/);
  expect(await effects('flaky')).toBe(1);
  expect(await job.status()).toMatchObject({
    attempts: 3,
    errors: [
      { attempt: 1, code: 'Error', message: 'the bank does not answer' },
      { attempt: 2, code: 'Error' },
    ],
  });
});

test('retryAfter of the error is honoured, measured by the database', async () => {
  const times: number[] = [];
  const limited = defineJob({
    type: 'limited',
    input: z.null(),
    retry: { initial: 1, max: 1 },
    run: async () => {
      times.push(performance.now());
      if (times.length === 1) throw Object.assign(new Error('too many requests'), { retryAfter: '1500ms' });
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [limited]);
  await (await cf.jobs.submit({ tenant: 't1', type: 'limited', key: 'k', input: null })).result();
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_490);
});

test('a spent job is a dead letter; redriven with another input it goes on, its completed steps kept', async () => {
  const strict = defineJob({
    type: 'strict',
    input: z.object({ amount: z.number() }),
    retry: { maxAttempts: 2, initial: 5, max: 10, nonRetryable: ['RangeError'] },
    run: async (ctx, { amount }) => {
      await ctx.once('open', async (tx) => {
        await tx.query(`insert into effect values ('strict')`);
      });
      if (amount < 0) throw new RangeError(`amount ${amount} is negative`);
      return amount;
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [strict]);
  const ref = { tenant: 't1', type: 'strict', key: 'k' };
  const job = await cf.jobs.submit({ ...ref, input: { amount: -1 } });
  await expect(job.result()).rejects.toMatchObject({
    code: 'JOB_DEAD',
    message: expect.stringContaining('-1'),
  });
  expect(await cf.jobs.dead({ code: 'RangeError' })).toMatchObject([
    { ...ref, reason: 'NON_RETRYABLE', attempts: 1, errors: [{ code: 'RangeError' }] },
  ]);
  expect((await cf.jobs.show(ref)).steps).toMatchObject([{ step: 'open' }]);
  await until(async () => (await stage.describe(job.workflowId)).status.name === 'FAILED', {
    what: 'the run to fail',
  });

  await expect(cf.jobs.redrive(ref, { input: { amount: 'x' } })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
  await cf.jobs.redrive(ref, { as: 'grace', input: { amount: 7 } });
  expect(await job.result()).toBe(7);
  expect(await effects('strict')).toBe(1);
  expect(await cf.jobs.dead()).toEqual([]);
  await expect(cf.jobs.redrive(ref)).rejects.toMatchObject({ code: 'JOB_NOT_DEAD' });
  // The fingerprint is the edited input's from now on.
  await cf.jobs.submit({ ...ref, input: { amount: 7 } });
  const { rows } = await stage.platform.query(
    `select actor, details ->> 'input' as input from chronawflow.audit_event where action = 'job.redrive'`,
  );
  expect(rows).toEqual([{ actor: 'grace', input: 'edited' }]);
  // So is who has read the letters: the list twice, and the job once while it had one and nobody had decided.
  const { rows: reads } = await stage.platform.query(
    `select details ->> 'letters' as letters from chronawflow.audit_event
      where action = 'dead-letters.read' and (tenant = 't1' or details ->> 'code' = 'RangeError') order by at`,
  );
  expect(reads).toEqual([{ letters: '1' }, { letters: '1' }]);
});

test('a discarded job stays dead, with the reason, and its letter is closed', async () => {
  const doomed = defineJob({
    type: 'doomed',
    input: z.null(),
    retry: { maxAttempts: 1 },
    run: async () => {
      throw new Error('no');
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [doomed]);
  const ref = { tenant: 't1', type: 'doomed', key: 'k' };
  const job = await cf.jobs.submit({ ...ref, input: null });
  await expect(job.result()).rejects.toMatchObject({ code: 'JOB_DEAD' });
  await cf.jobs.discard(ref, { as: 'grace', reason: 'the customer left' });
  const { letters, status } = await cf.jobs.show(ref);
  expect(letters).toMatchObject([{ state: 'discarded', decidedBy: 'grace', decision: 'the customer left' }]);
  expect(status.state).toBe('dead');
});

test('a running job that is cancelled is told, and ends as cancelled in both places', async () => {
  let told = false;
  const endless = defineJob({
    type: 'endless',
    input: z.null(),
    run: async (ctx) => {
      await sleep(600_000, undefined, { signal: ctx.signal }).catch(() => {
        told = true;
      });
      ctx.signal.throwIfAborted();
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [endless]);
  const job = await cf.jobs.submit({ tenant: 't1', type: 'endless', key: 'k', input: null });
  await until(async () => (await job.status()).state === 'running');
  await job.cancel();
  await expect(job.result()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
  await until(() => told, { what: 'the code to be told' });
  await until(async () => (await stage.describe(job.workflowId)).status.name === 'CANCELLED');
});

test('a job that waits for its time is cancelled without ever running', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  const job = await cf.jobs.submit({
    tenant: 't1',
    type: 'post',
    key: 'later',
    input: { name: 'later' },
    runAt: new Date(Date.now() + 3_600_000),
  });
  await job.cancel();
  await expect(job.result()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
  expect(await effects('later')).toBe(0);
});

test('an attempt over its time is told to stop and counts as failed', async () => {
  const slow = defineJob({
    type: 'slow',
    input: z.null(),
    timeout: 200,
    retry: { maxAttempts: 1 },
    run: (ctx) => sleep(600_000, undefined, { signal: ctx.signal }),
  });
  const { cf } = await openJobScene(stage, cleanUp, [slow]);
  const job = await cf.jobs.submit({ tenant: 't1', type: 'slow', key: 'k', input: null });
  await expect(job.result()).rejects.toMatchObject({ details: { lastCode: 'JOB_TIMEOUT' } });
});

test.each([
  ['an error', 0, async () => Promise.reject(new Error('no'))],
  [
    'an error’s own time',
    3_000,
    async () => Promise.reject(Object.assign(new Error('no'), { retryAfter: '3s' })),
  ],
  ['a timeout', 0, (signal: AbortSignal) => sleep(600_000, undefined, { signal })],
])('the attempt after %s begins when its delay is over, and not before', async (what, leastMs, fail) => {
  const boundMs = 1_500;
  const late = defineJob({
    type: 'late',
    input: z.null(),
    // The second attempt has the same time, and needs some of it.
    timeout: what === 'a timeout' ? 5_000 : 60_000,
    retry: { initial: boundMs, max: boundMs },
    run: async (ctx) => {
      if (ctx.attempt === 1) return fail(ctx.signal);
      return ctx.once(
        'now',
        async (tx) => (await tx.query<{ now: string }>('select clock_timestamp() as now')).rows[0]?.now,
      );
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [late]);
  const job = await cf.jobs.submit({ tenant: 't1', type: 'late', key: what, input: null });
  let status = await job.status();
  await until(
    async () => {
      status = await job.status();
      return status.errors.length === 1;
    },
    { what: 'the first attempt to fail' },
  );
  const { runAt, errors } = status;
  const delay = Date.parse(runAt) - Date.parse(errors[0]?.at ?? '');
  expect(delay).toBeGreaterThanOrEqual(leastMs);
  // Some statements lie between the two times, and the machine may be busy.
  expect(delay).toBeLessThanOrEqual(Math.max(boundMs, leastMs) + 20_000);
  expect(Date.parse(String(await job.result()))).toBeGreaterThanOrEqual(Date.parse(runAt));
});

test('a job whose workflow is terminated is not lost', async () => {
  const gate: { open: boolean } = { open: false };
  const patient = defineJob({
    type: 'patient',
    input: z.null(),
    retry: { initial: 1, max: 1 },
    run: async (ctx) => {
      if (ctx.attempt === 1) throw Object.assign(new Error('later'), { retryAfterMs: 10_000 });
      gate.open = true;
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [patient]);
  const job = await cf.jobs.submit({ tenant: 't1', type: 'patient', key: 'k', input: null });
  await until(async () => (await job.status()).waitsFor === 'retry');
  await stage.terminate(job.workflowId);
  await job.result();
  expect(gate.open).toBe(true);
});

test('connect() needs no job to be defined', async () => {
  const { config } = await openJobScene(stage, cleanUp, []);
  const cf = await Chronawflow.connect({ config });
  await expect(cf.jobs.submit({ tenant: 't1', type: 'post', key: 'k', input: {} })).rejects.toMatchObject({
    code: 'UNKNOWN_JOB_TYPE',
    hint: expect.stringContaining('jobs.modules'),
  });
  await cf.close();
});

test('a job that waits for its retry goes on when the task queue was renamed meanwhile', async () => {
  let attempts = 0;
  const flaky = defineJob({
    type: 'flaky',
    input: z.object({ name: z.string() }),
    retry: { initial: '500ms', max: '500ms' },
    run: async () => {
      attempts += 1;
      // Time for its first worker to end meanwhile.
      if (attempts === 1) throw Object.assign(new Error('not yet'), { retryAfter: '15s' });
      return attempts;
    },
  });
  const before = await openJobScene(stage, cleanUp, [flaky]);
  const job = await before.cf.jobs.submit({
    tenant: 't1',
    type: 'flaky',
    key: 'renamed',
    input: { name: 'x' },
  });
  await until(async () => (await job.status()).attempts === 1 && (await job.status()).state === 'waiting');
  const old = (await stage.describe(job.workflowId)).runId;
  await before.worker.stop();

  const config = jobConfig(stage);
  const worker = await startJobWorker(stage, config, [flaky]);
  cleanUp.add(() => worker.stop());
  expect(await job.result()).toBe(2);
  const now = await stage.describe(job.workflowId);
  expect(now.taskQueue).toBe(`${config.temporal.taskQueue}-jobs`);
  expect(now.runId).not.toBe(old);
});
