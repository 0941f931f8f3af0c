import { z } from 'zod';
import { Chronawflow } from '../../client';
import { rateLimitsConfig } from '../../config';
import { defineJob } from '../../core/jobs';
import { sharedMetrics } from '../../core/metrics';
import type { CleanUp } from '../support/clean-up';
import { clearQueue, type JobStage, jobConfig, openJobScene, startJobWorker } from '../support/job-stage';
import { post, useJobStage } from '../support/job-stages';
import { until } from '../support/until';

/** What keeps a tenant’s jobs back: breakers and limits of the services that they call, a freeze, holds and backlogs. */

let stage: JobStage;
let cleanUp: CleanUp;
useJobStage((opened) => {
  ({ stage, cleanUp } = opened);
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
  const shared = { quorum: 1, quorumShare: 0, interval: 100, lease: 60_000, statementLimit: 5_000 };
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
  // Each writes its own down when it comes to it.
  const [first, second] = (await openings()).sort((a, b) => a.why.localeCompare(b.why));
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
  const limit = 20;
  // Windows are counted from the epoch: whenever this runs, a quarter of one of some 260 days has passed.
  const window = Math.floor(Date.now() / 80.25);
  const rule = { kind: 'fixed-window', limit, window } as const;
  const rateLimits = rateLimitsConfig.parse({
    rule: { ...rule, limit: 1_000 },
    // A process that is out of reach for a moment has its share, one unit, kept free for the rest of the window.
    resources: { printer: { ...rule, global: { localShare: 1 / limit } } },
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
  let elsewhere = 0;
  await until(
    async () => {
      if ((await limiter.checkRateLimit('t4', 'printer')).allowed) elsewhere += 1;
      return elsewhere === 15;
    },
    { what: 'most of the limit to be used by this process' },
  );
  const ends = ['printed' as unknown];
  while (ends.at(-1) === 'printed' && elsewhere + ends.length <= limit)
    ends.push(await run('t4', `k${ends.length}`));
  expect(ends.at(-1)).toMatchObject({ code: 'RATE_LIMITED' });
  expect(await run('t5', 'first')).toBe('printed');
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
