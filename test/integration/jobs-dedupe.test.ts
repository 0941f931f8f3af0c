import type { Pool } from 'pg';
import { z } from 'zod';
import type { Config } from '../../config';
import { onBehalfOf } from '../../core/audit';
import { defineJob, JobQueue, jobsByType, type SubmitRequest } from '../../core/jobs';
import { claimWindows, removeWindows } from '../../core/jobs/store/dedupe-window';
import { type JobDatabase, startJobDatabase } from '../support/job-database';
import { until } from '../support/until';

const mail = defineJob({ type: 'mail', input: z.object({ to: z.number() }), run: async () => undefined });
const jobs = jobsByType([mail]);

let database: JobDatabase;
let pool: Pool;
let config: Config;
let queue: JobQueue;

beforeAll(async () => {
  database = await startJobDatabase();
  pool = database.pool;
  config = database.configWith({ tenantBacklog: 30 });
  queue = anotherQueue();
});
afterAll(() => database?.stop());
beforeEach(async () => {
  await pool.query('truncate chronawflow.job, chronawflow.job_dedupe, chronawflow.audit_outbox');
});

const anotherQueue = () => new JobQueue({ pool, config: config.jobs, tenancy: config.tenancy, jobs });

const request = (key: string, dedupe?: SubmitRequest['dedupe'], to = 1, tenant = 'a'): SubmitRequest => ({
  tenant,
  type: 'mail',
  key,
  input: { to },
  dedupe,
});

const keys = async () =>
  (await pool.query<{ key: string }>('select key from chronawflow.job order by seq')).rows.map(
    (row) => row.key,
  );

test('by default the same key and input is the same job, and that it came again is an audit event', async () => {
  expect(await queue.submit(request('k'))).toBe('submitted');
  expect(await queue.submit(request('k', 'result'))).toBe('known');
  const { rows } = await pool.query('select action, tenant, object, outcome from chronawflow.audit_outbox');
  expect(rows).toEqual([{ action: 'job.replayed', tenant: 'a', object: 'mail/k', outcome: 'ok' }]);
});

test('submissions go together, and the event of each names the run that has made it (core/audit, 8)', async () => {
  for (const key of ['k1', 'k2', 'k3']) await queue.submit(request(key));
  const again = (key: string) => queue.submit(request(key, 'result'));
  await Promise.all([
    onBehalfOf({ request: 'r', run: 'one' }, () => again('k1')),
    onBehalfOf({ request: 'r', run: 'other' }, () => again('k2')),
    again('k3'),
  ]);
  const { rows } = await pool.query('select object, run from chronawflow.audit_outbox order by object');
  expect(rows).toEqual([
    { object: 'mail/k1', run: 'one' },
    { object: 'mail/k2', run: 'other' },
    { object: 'mail/k3', run: null },
  ]);
});

test('who wants a new job is refused where one is, of many at once all but one', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => (n % 2 ? queue : anotherQueue()).submit(request('k', 'reject'))),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'JOB_EXISTS' });
  const items: unknown[] = [];
  for await (const item of queue.submitMany([request('new', 'reject'), request('k', 'reject')]))
    items.push(item);
  expect(items).toMatchObject([
    { key: 'new', outcome: 'submitted' },
    { key: 'k', outcome: 'refused', error: { code: 'JOB_EXISTS' } },
  ]);
});

test('within a time the same input is one job, whatever the keys, from many processes at once', async () => {
  const queues = [queue, anotherQueue(), anotherQueue()];
  const added = await Promise.all(
    Array.from({ length: 30 }, (_, n) => queues[n % 3]?.add(request(`k${n}`, { within: '1h' }))),
  );
  const [only, ...others] = await keys();
  expect(others).toEqual([]);
  expect(new Set(added.map((one) => one?.ref.key))).toEqual(new Set([only]));
  expect(added.filter((one) => one?.outcome === 'submitted')).toHaveLength(1);
});

test('another input, tenant, or a submission that does not ask for it is a job of its own', async () => {
  const items: unknown[] = [];
  for await (const item of queue.submitMany([
    request('k1', { within: '1h' }),
    request('k2', { within: '1h' }),
    request('k3', { within: '1h' }, 2),
    request('k4', { within: '1h' }, 1, 'b'),
    request('k5'),
  ]))
    items.push(item);
  expect(items).toEqual([
    { tenant: 'a', type: 'mail', key: 'k1', outcome: 'submitted' },
    {
      tenant: 'a',
      type: 'mail',
      key: 'k2',
      outcome: 'known',
      sameAs: { tenant: 'a', type: 'mail', key: 'k1' },
    },
    { tenant: 'a', type: 'mail', key: 'k3', outcome: 'submitted' },
    { tenant: 'b', type: 'mail', key: 'k4', outcome: 'submitted' },
    { tenant: 'a', type: 'mail', key: 'k5', outcome: 'submitted' },
  ]);
});

test('when the time is over the next one is a new job, and the window is cleaned up', async () => {
  await queue.submit(request('k1', { within: 200 }));
  await until(async () => (await removeWindows(pool)) === 1);
  await queue.submit(request('k2', { within: 200 }));
  await until(
    async () => (await pool.query(`select from chronawflow.job_dedupe where until <= now()`)).rowCount === 1,
  );
  // Not cleaned up yet.
  await queue.submit(request('k3', { within: 200 }));
  expect(await keys()).toEqual(['k1', 'k2', 'k3']);
});

test('a submitter that died after it took the window is finished by the next one', async () => {
  const submission = { tenant: 'a', type: 'mail', key: 'first', withinMs: 60_000 };
  await queue.submit(request('probe'));
  const { rows } = await pool.query<{ fingerprint: string }>('select fingerprint from chronawflow.job');
  await pool.query('truncate chronawflow.job');
  await claimWindows(pool, [{ ...submission, fingerprint: rows[0]?.fingerprint ?? '' }]);
  expect(await queue.add(request('second', { within: '1m' }))).toMatchObject({
    outcome: 'submitted',
    ref: { key: 'first' },
  });
  expect(await keys()).toEqual(['first']);
});

test('a submission that was refused does not stand for its input', async () => {
  await queue.submit(request('taken', 'result', 7));
  await expect(queue.submit(request('taken', { within: '1h' }))).rejects.toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
  });
  expect(await queue.add(request('fresh', { within: '1h' }))).toMatchObject({ ref: { key: 'fresh' } });
});

test('a wrong dedupe is told, and keeps no other item out', async () => {
  const wrong = [{ within: 'soon' }, { within: -1 }, { until: '1m' }, 'never'];
  const outcomes: string[] = [];
  for await (const item of queue.submitMany(
    wrong.map((dedupe, n) => Object.assign(request(`k${n}`), { dedupe })),
  ))
    outcomes.push(item.outcome === 'refused' ? item.error.code : item.outcome);
  expect(outcomes).toEqual(wrong.map(() => 'INVALID_INPUT'));
});
