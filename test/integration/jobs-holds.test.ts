import type { Pool } from 'pg';
import { z } from 'zod';
import type { Config } from '../../config';
import { defineJob, FailureWatch, hold, JobQueue, jobsByType, readHolds, release } from '../../core/jobs';
import { sharesOf } from '../../core/jobs/shares';
import { claimJobs } from '../../core/jobs/store/claim-jobs';
import { sweepHolds } from '../../core/jobs/store/holds';
import { registerWorker } from '../../core/jobs/store/worker-registry';
import { type JobDatabase, startJobDatabase } from '../support/job-database';
import { until } from '../support/until';

const run = async () => undefined;
const input = z.null();
const jobs = jobsByType([
  defineJob({ type: 'mail', input, run }),
  defineJob({ type: 'post', input, run }),
  defineJob({ type: 'vital', input, run, core: true }),
]);

let database: JobDatabase;
let pool: Pool;
let config: Config;
let queue: JobQueue;

beforeAll(async () => {
  database = await startJobDatabase();
  pool = database.pool;
  config = database.configWith({ tenantInFlight: 100 });
  queue = new JobQueue({ pool, config: config.jobs, tenancy: config.tenancy, jobs });
});
afterAll(() => database?.stop());
beforeEach(async () => {
  await pool.query(
    `truncate chronawflow.job, chronawflow.job_worker, chronawflow.job_hold, chronawflow.job_outcome,
       chronawflow.audit_outbox`,
  );
});

const claim = async () => {
  // Each time, as a worker tells of itself again and again.
  await registerWorker(pool, { id: 'w', slots: 100, types: ['mail', 'post', 'vital'] });
  return claimJobs(pool, { handedLimit: 100, shares: (limits) => sharesOf(config.jobs, jobs, limits) });
};

async function submit(tenant: string, type: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1)
    await queue.submit({ tenant, type, key: `${type}${String(n).padStart(3, '0')}`, input: null });
}

const watch = (settings: { coreLimitMs?: number; minEnds?: number } = {}) =>
  new FailureWatch({
    pool,
    jobs,
    rules: {
      kills: 3,
      failureShare: 0.8,
      minEnds: settings.minEnds ?? 10,
      window: 60_000,
      coreLimit: settings.coreLimitMs ?? 60_000,
    },
    log: { info: () => undefined, warn: () => undefined },
  });

const audited = async () =>
  (
    await pool.query<{ what: string }>(
      `select format('%s: %s %s %s', actor, action, tenant, object) as what from chronawflow.audit_outbox order by seq`,
    )
  ).rows.map((row) => row.what);

function fail(of: FailureWatch, tenant: string, type: string, failed: number, succeeded = 0): void {
  for (let n = 0; n < failed; n += 1) of.ended({ tenant, type }, false);
  for (let n = 0; n < succeeded; n += 1) of.ended({ tenant, type }, true);
}

test('failures that several processes count together hold a tenant’s type, visibly, and no other work', async () => {
  const [first, second] = [watch(), watch()];
  fail(first, 'a', 'mail', 6);
  fail(first, 'b', 'mail', 0, 20);
  fail(second, 'a', 'mail', 6);
  await first.round();
  expect(await readHolds(pool)).toEqual([]);
  await second.round();
  expect(await audited()).toEqual(['chronawflow: job.quarantine a mail']);
  expect(await readHolds(pool)).toMatchObject([
    { kind: 'quarantine', tenant: 'a', type: 'mail', by: 'chronawflow', reason: '12 of 12 attempts failed' },
  ]);
  await submit('a', 'mail', 1);
  await submit('a', 'post', 1);
  await submit('b', 'mail', 1);
  expect((await claim()).map((job) => `${job.tenant} ${job.type}`).sort()).toEqual(['a post', 'b mail']);
  expect(await queue.status({ tenant: 'a', type: 'mail', key: 'mail000' })).toMatchObject({
    state: 'waiting',
    held: { kind: 'quarantine', by: 'chronawflow', since: expect.any(String) },
  });
});

test('what fails for every tenant is nobody’s quarantine', async () => {
  const one = watch();
  fail(one, 'a', 'mail', 20);
  fail(one, 'b', 'mail', 20);
  await one.round();
  expect(await readHolds(pool)).toEqual([]);
});

test('a rule stops core types for a time only and says which; afterwards it begins to count anew', async () => {
  const one = watch({ coreLimitMs: 600_000 });
  fail(one, 'a', 'vital', 20);
  await one.round();
  expect(await readHolds(pool)).toMatchObject([
    { type: 'vital', until: expect.any(String), reason: expect.stringContaining('core types vital') },
  ]);
  await submit('a', 'vital', 1);
  expect(await claim()).toEqual([]);
  await pool.query('update chronawflow.job_hold set until = clock_timestamp()');
  await until(async () => (await claim()).length === 1, { what: 'the hold to end' });
  fail(one, 'a', 'vital', 9);
  await one.round();
  expect(await audited()).toEqual([
    'chronawflow: job.quarantine a vital',
    'chronawflow: job.release a vital',
  ]);
  expect(await readHolds(pool)).toEqual([]);
});

test('a tenant whose types fail together is held as a whole; its core types are named', async () => {
  const one = watch();
  for (const type of ['mail', 'post', 'vital']) fail(one, 'a', type, 5);
  fail(one, 'b', 'mail', 0, 20);
  await one.round();
  expect(await readHolds(pool)).toMatchObject([
    { tenant: 'a', type: '', until: expect.any(String), reason: expect.stringContaining('vital') },
  ]);
});

test('held work comes back in its order, at the rate, however often it is asked for', async () => {
  await hold(pool, { tenant: 'a' }, { kind: 'quarantine', reason: 'floods', by: 'ada' });
  await submit('a', 'mail', 30);
  await submit('b', 'mail', 3);
  expect((await claim()).map((job) => job.tenant)).toEqual(['b', 'b', 'b']);
  const began = performance.now();
  await release(pool, { tenant: 'a' }, { kind: 'quarantine', by: 'ada', perSecond: 20 });
  expect(await queue.status({ tenant: 'a', type: 'mail', key: 'mail029' })).toMatchObject({
    held: { perSecond: 20, reason: 'floods' },
  });
  const came: string[] = [];
  await until(
    async () => {
      came.push(...(await claim()).map((job) => job.key));
      const seconds = (performance.now() - began) / 1_000;
      // What a second leaves unused may come at once: the look itself may be late.
      expect(came.length).toBeLessThanOrEqual(20 * seconds + 21);
      return came.length === 30;
    },
    { what: 'all held jobs' },
  );
  expect(performance.now() - began).toBeGreaterThan(400);
  expect(came).toEqual([...came].sort());
  // The release is over when nothing of it waits any more.
  await sweepHolds(pool);
  expect(await readHolds(pool)).toEqual([]);
});

test('a pause and a quarantine stand beside each other, and each is lifted alone', async () => {
  await hold(pool, { tenant: 'a' }, { kind: 'quarantine', reason: 'floods', by: 'ada' });
  await hold(pool, { tenant: 'a' }, { kind: 'pause', reason: 'moves', by: 'ada' });
  await submit('a', 'mail', 1);
  expect(await release(pool, { tenant: 'a' }, { kind: 'quarantine', by: 'ada' })).toBe(true);
  expect(await claim()).toEqual([]);
  expect(await queue.status({ tenant: 'a', type: 'mail', key: 'mail000' })).toMatchObject({
    held: { kind: 'pause', reason: 'moves' },
  });
  expect(await release(pool, { tenant: 'a' }, { kind: 'pause', by: 'ada' })).toBe(true);
  expect(await release(pool, { tenant: 'a' }, { kind: 'pause', by: 'ada' })).toBe(false);
  expect(await claim()).toHaveLength(1);
});

test('a new hold calls a release off that is under way', async () => {
  await hold(pool, { tenant: 'a' }, { kind: 'quarantine', reason: 'floods', by: 'ada' });
  await release(pool, { tenant: 'a' }, { kind: 'quarantine', by: 'ada', perSecond: 1 });
  await submit('a', 'mail', 3);
  expect(await hold(pool, { tenant: 'a' }, { kind: 'quarantine', reason: 'again', by: 'ada' })).toBe(true);
  expect(await hold(pool, { tenant: 'a' }, { kind: 'quarantine', reason: 'more', by: 'ada' })).toBe(false);
  expect(await claim()).toEqual([]);
  expect(await readHolds(pool)).toMatchObject([{ reason: 'again' }]);
});
