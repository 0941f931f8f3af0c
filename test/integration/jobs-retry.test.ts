import type { Pool } from 'pg';
import { z } from 'zod';
import { defineJob, jobsByType, type LeasedJob, QueueBoundaryManager } from '../../core/jobs';
import { CleanUp } from '../support/clean-up';
import { type JobDatabase, startJobDatabase } from '../support/job-database';

const INITIAL_MS = 2_000;
const MAX_MS = 5_000;
const mail = defineJob({
  type: 'mail',
  input: z.null(),
  retry: { maxAttempts: 9, initial: INITIAL_MS, max: MAX_MS },
  run: async () => undefined,
});

let database: JobDatabase;
let pool: Pool;
let cleanUp: CleanUp;

beforeAll(async () => {
  database = await startJobDatabase();
  pool = database.pool;
});
afterAll(() => database?.stop());
beforeEach(async () => {
  cleanUp = new CleanUp();
  await pool.query('truncate chronawflow.job, chronawflow.dead_letter, chronawflow.job_retry_budget');
});
afterEach(() => cleanUp.run());

function open(retriesPerMinute: number): QueueBoundaryManager {
  const config = database.configWith({
    retriesPerMinute,
    lease: 60_000,
    tenantInFlight: 1_000,
    // Everything fails here.
    quarantine: { failureShare: false },
  });
  const queue = new QueueBoundaryManager({
    pool,
    config: config.jobs,
    tenancy: config.tenancy,
    jobs: jobsByType([mail]),
    log: { info: () => undefined, warn: () => undefined },
  });
  cleanUp.add(() => queue.close());
  return queue;
}

async function take(queue: QueueBoundaryManager, tenant: string, count: number): Promise<LeasedJob[]> {
  const one = (n: number) => queue.enqueue({ tenant, type: 'mail', key: `k${n}`, input: null });
  await Promise.all(Array.from({ length: count }, (_, n) => one(n)));
  const jobs = await queue.dequeue(count);
  expect(jobs).toHaveLength(count);
  return jobs;
}

/** Of each job by its tenant and key: how long the last call that failed it took, in milliseconds. */
const took = new Map<string, number>();

async function fail(queue: QueueBoundaryManager, jobs: readonly LeasedJob[], error = new Error('no')) {
  for (const job of jobs) {
    const begun = performance.now();
    await queue.handleFailure(job, error);
    took.set(`${job.tenant} ${job.key}`, performance.now() - begun);
  }
}

interface Delay {
  /** Milliseconds from the job's last failure to its next attempt, both by the database's clock. */
  readonly ms: number;
  /** What of it was planned at least: the plan is made some statements after the failure's record, in the same call. */
  readonly plannedMs: number;
}

async function delays(tenant: string): Promise<Delay[]> {
  const { rows } = await pool.query<{ key: string; ms: number }>(
    `select key, extract(epoch from run_at - (errors -> -1 ->> 'at')::timestamptz)::float8 * 1000 as ms
     from chronawflow.job where tenant = $1 and state = 'waiting' and waits_for = 'retry' order by run_at`,
    [tenant],
  );
  return rows.map(({ key, ms }) => ({ ms, plannedMs: ms - (took.get(`${tenant} ${key}`) ?? 0) }));
}

const least = (values: readonly number[]) => Math.min(...values);
const most = (values: readonly number[]) => Math.max(...values);

test('delays take the whole range from nothing to the bound, which doubles up to its limit', async () => {
  const queue = open(60_000);
  const bounds = [INITIAL_MS, 2 * INITIAL_MS, MAX_MS, MAX_MS];
  let jobs = await take(queue, 'a', 60);
  for (const bound of bounds) {
    await fail(queue, jobs);
    const found = await delays('a');
    expect(found).toHaveLength(60);
    expect(least(found.map(({ ms }) => ms))).toBeGreaterThanOrEqual(0);
    expect(most(found.map(({ plannedMs }) => plannedMs))).toBeLessThanOrEqual(bound);
    // That none of 60 lies in a half happens once in 10^18 runs.
    expect(least(found.map(({ plannedMs }) => plannedMs))).toBeLessThan(bound / 2);
    expect(most(found.map(({ ms }) => ms))).toBeGreaterThan(bound / 2);
    await pool.query(`update chronawflow.job set run_at = clock_timestamp() where state = 'waiting'`);
    jobs = await queue.dequeue(60);
  }
  expect(jobs.map((job) => job.attempt)).toEqual(Array.from({ length: 60 }, () => bounds.length + 1));
});

test('an error’s own time is honoured, also beyond the limit of the delay', async () => {
  const queue = open(60_000);
  await fail(queue, await take(queue, 'a', 1), Object.assign(new Error('busy'), { retryAfter: '90s' }));
  const [delay] = await delays('a');
  expect(delay?.ms).toBeGreaterThanOrEqual(90_000);
  expect(delay?.plannedMs).toBeLessThanOrEqual(90_000);
  await pool.query(`update chronawflow.job set run_at = run_at - interval '30 seconds'`);
  expect(await queue.dequeue()).toEqual([]);
});

test('a tenant’s retries over its budget come one after the other; another tenant’s come as they would', async () => {
  const perMinute = 20;
  const everyMs = 60_000 / perMinute;
  const queue = open(perMinute);
  const [busy, calm] = [await take(queue, 'a', 30), await take(queue, 'b', 3)];
  const { rows } = await pool.query<{ begin: string }>('select clock_timestamp()::text as begin');
  await fail(queue, busy);
  await fail(queue, calm);
  const due = await pool.query<{ ms: number }>(
    `select extract(epoch from run_at - $1::timestamptz)::float8 * 1000 as ms
     from chronawflow.job where tenant = 'a' and state = 'waiting' and waits_for = 'retry' order by run_at`,
    [rows[0]?.begin],
  );
  expect(due.rows).toHaveLength(30);
  // Half of a minute's at once; of the other twenty one each three seconds, however long it took to fail them.
  for (const [index, { ms }] of due.rows.entries())
    expect(ms).toBeGreaterThanOrEqual((index + 1 - perMinute / 2) * everyMs - 1);
  expect(most((await delays('b')).map(({ plannedMs }) => plannedMs))).toBeLessThanOrEqual(INITIAL_MS);
});
