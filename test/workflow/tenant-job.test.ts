import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Chronawflow } from '../../client';
import { rateLimitsConfig } from '../../config';
import { defineJob } from '../../core/jobs';
import { sharedMetrics } from '../../core/metrics';
import { CleanUp } from '../support/clean-up';
import {
  clearQueue,
  type JobStage,
  jobConfig,
  openJobScene,
  startJobStage,
  startJobWorker,
} from '../support/job-stage';
import { until } from '../support/until';

let stage: JobStage;
let cleanUp: CleanUp;

beforeAll(async () => {
  stage = await startJobStage();
});
afterAll(() => stage?.stop());
beforeEach(() => {
  cleanUp = new CleanUp();
});
afterEach(() => cleanUp.run());

const effects = async (name: string) =>
  (await stage.app.query('select from effect where name = $1', [name])).rowCount;

const post = defineJob({
  type: 'post',
  input: z.object({ name: z.string() }),
  run: (ctx, { name }) =>
    ctx.once('insert', async (tx) => {
      await tx.query('insert into effect values ($1)', [name]);
      return { posted: name };
    }),
});

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

test('ctx.call turns a tenant’s calls away from a service that is down for it, and no other tenant’s', async () => {
  let made = 0;
  const collect = defineJob({
    type: 'collect',
    input: z.object({}),
    retry: { maxAttempts: 1 },
    run: (ctx) =>
      ctx.call({ service: 'bank', operation: 'collect' }, async () => {
        made += 1;
        if (ctx.tenant === 't1') throw new Error('the bank is down');
        return 'collected';
      }),
  });
  const { cf } = await openJobScene(stage, cleanUp, [collect]);
  const run = async (tenant: string, key: string) => {
    const job = await cf.jobs.submit({ tenant, type: 'collect', key, input: {} });
    return job.result().catch(async () => (await job.status()).errors.at(-1));
  };
  // Five failures in a row open it, by the configuration's default.
  for (let i = 0; i < 5; i += 1) await run('t1', `k${i}`);
  expect(await run('t1', 'turned-away')).toMatchObject({ code: 'BREAKER_OPEN' });
  expect(await run('t2', 'k')).toBe('collected');
  expect(made).toBe(6);
});

test('what one worker’s breaker has found out holds in the other worker, and each change is audited and counted', async () => {
  const collect = defineJob({
    type: 'collect',
    input: z.object({}),
    retry: { maxAttempts: 1 },
    run: (ctx) =>
      ctx.call({ service: 'post-office', operation: 'send' }, () => Promise.reject(new Error('closed'))),
  });
  await clearQueue(stage);
  const config = jobConfig(stage);
  const shared = { quorum: 1, quorumShare: 0, interval: 100, lease: 10_000, statementLimit: 5_000 };
  const sharing = { ...config, protection: { ...config.protection, shared } };
  for (const _ of ['one', 'other']) {
    const worker = await startJobWorker(stage, sharing, [collect]);
    cleanUp.add(() => worker.stop());
  }
  const cf = await Chronawflow.connect({ config: sharing, jobs: [collect] });
  cleanUp.add(() => cf.close());
  const openings = async () => {
    const { rows } = await stage.platform.query<{ id: string; why: string }>(
      `select id, details ->> 'why' as why from chronawflow.audit_event
       where action = 'breaker.open' and tenant = 't3' and object = 'post-office/send' order by at`,
    );
    return rows;
  };
  // Whichever worker sees five failures in a row first opens its own, and with a quorum of one also the other's.
  for (let i = 0; (await openings()).length === 0 && i < 20; i += 1) {
    const job = await cf.jobs.submit({ tenant: 't3', type: 'collect', key: `k${i}`, input: {} });
    await job.result().catch(() => undefined);
  }
  await until(async () => (await openings()).length >= 2, { what: 'the other worker to hear' });
  const [first, second] = await openings();
  expect([first?.why, second?.why]).toEqual(['consecutive-failures', 'shared']);
  // Host, process and a part of its own name the registry that saw it; the number of the event is behind it.
  const source = (id = '') => id.slice(0, id.lastIndexOf('/'));
  expect(source(first?.id)).not.toBe(source(second?.id));
  expect(await sharedMetrics.registry.metrics()).toMatch(
    /chronawflow_breaker_transitions_total\{service="post-office",operation="send",to="open"\} [2-9]/,
  );
});

test('ctx.call obeys the limit that the configuration has for the service, together with every other process', async () => {
  const print = defineJob({
    type: 'print',
    input: z.object({}),
    retry: { maxAttempts: 1 },
    run: (ctx) => ctx.call({ service: 'printer', operation: 'print' }, async () => 'printed'),
  });
  await clearQueue(stage);
  const rule = { kind: 'fixed-window', limit: 2, window: 3_600_000 } as const;
  const rateLimits = rateLimitsConfig.parse({
    rule: { ...rule, limit: 1_000 },
    resources: { printer: { ...rule, global: { localShare: 0.5 } } },
    leaseWait: '10s',
    leaseTimeout: '10s',
  });
  const config = { ...jobConfig(stage), rateLimits };
  const worker = await startJobWorker(stage, config, [print]);
  cleanUp.add(() => worker.stop());
  const cf = await Chronawflow.connect({ config, jobs: [print] });
  cleanUp.add(() => cf.close());
  const run = async (tenant: string, key: string) => {
    const job = await cf.jobs.submit({ tenant, type: 'print', key, input: {} });
    return job.result().catch(async () => (await job.status()).errors.at(-1));
  };
  expect(await run('t4', 'first')).toBe('printed');
  const { limiter } = await cf.rateLimits();
  // The worker may have leased both units, and gives back what it does not need.
  await until(async () => (await limiter.checkRateLimit('t4', 'printer')).allowed);
  expect(await run('t4', 'second')).toMatchObject({ code: 'RATE_LIMITED' });
  expect(await run('t5', 'first')).toBe('printed');
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
  expect(told).toBe(true);
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
    timeout: 400,
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
  await until(async () => (await job.status()).errors.length === 1, { what: 'the first attempt to fail' });
  const { runAt, errors } = await job.status();
  const delay = Date.parse(runAt) - Date.parse(errors[0]?.at ?? '');
  expect(delay).toBeGreaterThanOrEqual(leastMs);
  // Some statements lie between the two times.
  expect(delay).toBeLessThanOrEqual(Math.max(boundMs, leastMs) + 2_000);
  expect(Date.parse(String(await job.result()))).toBeGreaterThanOrEqual(Date.parse(runAt));
});

test('the jobs of a frozen tenant wait, and an attempt that meets the freeze does not count', async () => {
  let refusals = 0;
  const writes = defineJob({
    type: 'writes',
    input: z.null(),
    retry: { maxAttempts: 1 },
    run: async () => {
      if (refusals++ === 0) throw Object.assign(new Error('tenant t2 is frozen'), { code: 'TF001' });
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [writes]);
  await stage.app.query(
    `with r as (insert into chronawflow.restore (id, kind, tenant, workflow_id, state)
       values ('r000000000001', 'restore', 't1', 'w', 'active') returning id)
     insert into chronawflow.gate (restore_id, tenant, state, until)
     select id, 't1', 'frozen', now() + interval '1 hour' from r`,
  );
  const frozen = await cf.jobs.submit({ tenant: 't1', type: 'writes', key: 'k', input: null });
  const met = await cf.jobs.submit({ tenant: 't2', type: 'writes', key: 'k', input: null });
  await met.result();
  expect(await met.status()).toMatchObject({ attempts: 1, errors: [] });
  expect(await frozen.status()).toMatchObject({ state: 'waiting', attempts: 0 });
  await stage.app.query(`update chronawflow.gate set state = 'open'`);
  await frozen.result();
});

test('a quarantined type is held, visibly, and goes on in order when released', async () => {
  const order: string[] = [];
  const held = defineJob({
    type: 'held',
    input: z.null(),
    concurrency: { total: 1 },
    run: async (ctx) => {
      order.push(ctx.key);
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [held, post]);
  await cf.jobs.quarantine({ tenant: 't1', type: 'held' }, { as: 'grace', reason: 'it floods the bank' });
  const keys = ['a', 'b', 'c', 'd'];
  for (const key of keys) await cf.jobs.submit({ tenant: 't1', type: 'held', key, input: null });
  await (await cf.jobs.submit({ tenant: 't1', type: 'post', key: 'free', input: { name: 'free' } })).result();
  expect(order).toEqual([]);
  const handle = cf.jobs.handle({ tenant: 't1', type: 'held', key: 'a' });
  expect(await handle.status()).toMatchObject({
    state: 'waiting',
    held: { reason: 'it floods the bank', by: 'grace' },
  });
  await cf.jobs.release({ tenant: 't1', type: 'held' });
  await Promise.all(keys.map((key) => cf.jobs.handle({ tenant: 't1', type: 'held', key }).result()));
  expect(order).toEqual(keys);
});

test('a type that fails for a tenant is held by rule, with an audit event, and others’ jobs of it go on', async () => {
  const fragile = defineJob({
    type: 'fragile',
    input: z.null(),
    retry: { maxAttempts: 2, initial: 1, max: 1 },
    run: async (ctx) => {
      if (ctx.tenant === 't1') throw new Error('the file is broken');
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [fragile, post], { quarantine: { minEnds: 6 } });
  const submit = (tenant: string, key: string) =>
    cf.jobs.submit({ tenant, type: 'fragile', key, input: null });
  for (const key of ['a', 'b', 'c', 'd']) await submit('t1', key);
  await until(async () => (await cf.jobs.holds()).length === 1, { what: 'the rule to hold it' });
  expect(await cf.jobs.holds()).toMatchObject([
    { kind: 'quarantine', tenant: 't1', type: 'fragile', reason: expect.stringContaining('attempts failed') },
  ]);
  const held = await submit('t1', 'e');
  await (await submit('t2', 'e')).result();
  expect(await held.status()).toMatchObject({ state: 'waiting', attempts: 0, held: { by: 'chronawflow' } });
  const events = async () =>
    (
      await stage.platform.query(
        `select actor, tenant, object from chronawflow.audit_event where action = 'job.quarantine' and object = 'fragile'`,
      )
    ).rows;
  // It is brought over from the application's database.
  await until(async () => (await events()).length > 0, { what: 'the event to reach the audit log' });
  expect(await events()).toEqual([{ actor: 'chronawflow', tenant: 't1', object: 'fragile' }]);
});

test('a paused tenant’s jobs wait, whatever is released, until it is resumed', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  expect(await cf.jobs.pause('t1', { as: 'grace', reason: 'it moves' })).toBe(true);
  const job = await cf.jobs.submit({ tenant: 't1', type: 'post', key: 'p', input: { name: 'paused' } });
  await (await cf.jobs.submit({ tenant: 't2', type: 'post', key: 'p', input: { name: 'free' } })).result();
  expect(await cf.jobs.release({ tenant: 't1' })).toBe(false);
  expect(await job.status()).toMatchObject({
    state: 'waiting',
    held: { kind: 'pause', by: 'grace', reason: 'it moves' },
  });
  expect(await cf.jobs.resume('t1', { perSecond: 100 })).toBe(true);
  await job.result();
});

test('a core type is held for one tenant, and not for all', async () => {
  const vital = defineJob({ type: 'vital', input: z.null(), core: true, run: async () => undefined });
  const { cf } = await openJobScene(stage, cleanUp, [vital]);
  await expect(cf.jobs.quarantine({ type: 'vital' }, { reason: 'x' })).rejects.toMatchObject({
    code: 'CORE_TYPE_HELD',
  });
  expect(await cf.jobs.coreTypes({ tenant: 't1' })).toEqual(['vital']);
  expect(await cf.jobs.quarantine({ tenant: 't1' }, { reason: 'x' })).toBe(true);
});

test('a backlog over its limit is refused with a time to try again', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  await cf.jobs.setLimit({ tenant: 't1' }, { inFlight: 0, backlog: 2 });
  const submit = (key: string, tenant = 't1') =>
    cf.jobs.submit({ tenant, type: 'post', key, input: { name: key } });
  await submit('a');
  await submit('b');
  await expect(submit('c')).rejects.toMatchObject({ code: 'BACKLOG_FULL', retryAfterMs: expect.any(Number) });
  await (await submit('c', 't2')).result();
  // The limits take effect on what is queued.
  await cf.jobs.setLimit({ tenant: 't1' }, { inFlight: 5 });
  await cf.jobs.handle({ tenant: 't1', type: 'post', key: 'b' }).result();
});

test('a job whose workflow is terminated is not lost', async () => {
  const gate: { open: boolean } = { open: false };
  const patient = defineJob({
    type: 'patient',
    input: z.null(),
    retry: { initial: 1, max: 1 },
    run: async (ctx) => {
      if (ctx.attempt === 1) throw Object.assign(new Error('later'), { retryAfterMs: 1_000 });
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
      if (attempts === 1) throw new Error('not yet');
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
