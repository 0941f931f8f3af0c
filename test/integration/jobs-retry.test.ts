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

/** Milliseconds from each job's last failure to its next attempt, both by the database's clock. */
async function delays(tenant: string): Promise<number[]> {
  const { rows } = await pool.query<{ ms: number }>(
    `select extract(epoch from run_at - (errors -> -1 ->> 'at')::timestamptz)::float8 * 1000 as ms
     from chronawflow.job where tenant = $1 and state = 'waiting' and waits_for = 'retry' order by run_at`,
    [tenant],
  );
  return rows.map((row) => row.ms);
}

/** Between the error's record and the plan of the retry lie some statements of one transaction. */
const STATEMENTS_MS = 2_000;

test('delays take the whole range from nothing to the bound, which doubles up to its limit', async () => {
  const queue = open(60_000);
  const bounds = [INITIAL_MS, 2 * INITIAL_MS, MAX_MS, MAX_MS];
  let jobs = await take(queue, 'a', 60);
  for (const bound of bounds) {
    for (const job of jobs) await queue.handleFailure(job, new Error('no'));
    const found = await delays('a');
    expect(found).toHaveLength(60);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...found)).toBeLessThanOrEqual(bound + STATEMENTS_MS);
    // That none of 60 lies in a half happens once in 10^18 runs.
    expect(Math.min(...found)).toBeLessThan(bound / 2 + STATEMENTS_MS);
    expect(Math.max(...found)).toBeGreaterThan(bound / 2);
    await pool.query(`update chronawflow.job set run_at = clock_timestamp() where state = 'waiting'`);
    jobs = await queue.dequeue(60);
  }
  expect(jobs.map((job) => job.attempt)).toEqual(Array.from({ length: 60 }, () => bounds.length + 1));
});

test('an error’s own time is honoured, also beyond the limit of the delay', async () => {
  const queue = open(60_000);
  const [job] = await take(queue, 'a', 1);
  if (job === undefined) throw new Error('no job');
  await queue.handleFailure(job, Object.assign(new Error('busy'), { retryAfter: '90s' }));
  const [delay] = await delays('a');
  expect(delay).toBeGreaterThanOrEqual(90_000);
  expect(delay).toBeLessThan(90_000 + STATEMENTS_MS);
  await pool.query(`update chronawflow.job set run_at = run_at - interval '80 seconds'`);
  expect(await queue.dequeue()).toEqual([]);
});

test('a tenant’s retries over its budget come one after the other; another tenant’s come as they would', async () => {
  const perMinute = 20;
  const queue = open(perMinute);
  for (const job of await take(queue, 'a', 30)) await queue.handleFailure(job, new Error('no'));
  for (const job of await take(queue, 'b', 3)) await queue.handleFailure(job, new Error('no'));
  const busy = await delays('a');
  // Half of a minute's at once; of the other twenty one each three seconds.
  const late = busy.filter((ms) => ms > INITIAL_MS + STATEMENTS_MS);
  expect(late.length).toBeGreaterThanOrEqual(17);
  expect(Math.max(...busy)).toBeGreaterThan(20 * (60_000 / perMinute) - 3 * STATEMENTS_MS);
  expect(Math.max(...(await delays('b')))).toBeLessThanOrEqual(INITIAL_MS + STATEMENTS_MS);
});
