import { readFile } from 'node:fs/promises';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { z } from 'zod';
import type { Config } from '../../config';
import { defineJob, JobMetrics, JobQueue, jobsByType } from '../../core/jobs';
import { sharesOf } from '../../core/jobs/shares';
import { claimJobs } from '../../core/jobs/store/claim-jobs';
import { readDepths } from '../../core/jobs/store/look';
import { removeExpired } from '../../core/jobs/store/remove-expired';
import { takeRetryBudget } from '../../core/jobs/store/retry-budget';
import { registerWorker } from '../../core/jobs/store/worker-registry';
import { Metrics } from '../../core/metrics';
import { createPool, inTransaction } from '../../database';
import { type JobDatabase, startJobDatabase } from '../support/job-database';

const mail = defineJob({ type: 'mail', input: z.object({ to: z.number() }), run: async () => undefined });
const jobs = jobsByType([mail]);

let database: JobDatabase;
let pool: Pool;
let config: Config;
let queue: JobQueue;

beforeAll(async () => {
  database = await startJobDatabase({
    tenants: `create table tenants (id integer primary key); insert into tenants select generate_series(1, 50)`,
    connections: 20,
  });
  pool = database.pool;
  config = database.configWith();
  queue = new JobQueue({ pool, config: config.jobs, tenancy: config.tenancy, jobs });
});
afterAll(() => database?.stop());
beforeEach(async () => {
  await pool.query('truncate chronawflow.job, chronawflow.job_worker, chronawflow.idempotency');
});

const request = (tenant: string, key: string, to = 1) => ({ tenant, type: 'mail', key, input: { to } });
const claim = () =>
  claimJobs(pool, { handedLimit: 32, shares: (limits) => sharesOf(config.jobs, jobs, limits) });

test('many submissions of one key at once are one job', async () => {
  const outcomes = await Promise.all([
    ...Array.from({ length: 20 }, () => queue.submit(request('1', 'k'))),
    // Another process, whose statements run beside these.
    ...Array.from({ length: 20 }, () =>
      new JobQueue({ pool, config: config.jobs, tenancy: config.tenancy, jobs }).submit(request('1', 'k')),
    ),
  ]);
  expect(outcomes.filter((outcome) => outcome === 'submitted')).toHaveLength(1);
  expect((await pool.query('select from chronawflow.job')).rowCount).toBe(1);
});

test('tenants are looked up by their own type: a text that is no key is an unknown tenant, alone', async () => {
  const outcomes: string[] = [];
  // '07' is the same number, and would be another tenant to caps, freeze and holds.
  for await (const item of queue.submitMany(['7', 'seven', '51', '07'].map((tenant) => request(tenant, 'a'))))
    outcomes.push(item.outcome === 'refused' ? item.error.code : item.outcome);
  expect(outcomes).toEqual(['submitted', 'UNKNOWN_TENANT', 'UNKNOWN_TENANT', 'UNKNOWN_TENANT']);
});

test('claims of many processes at once hand every job over once, and no more than the slots take (invariant 2)', async () => {
  await registerWorker(pool, { id: 'w1', slots: 10, types: ['mail'] });
  for await (const item of queue.submitMany(
    Array.from({ length: 60 }, (_, n) => request(String((n % 6) + 1), `k${n}`)),
  ))
    expect(item.outcome).toBe('submitted');
  const claimed = (await Promise.all(Array.from({ length: 12 }, claim))).flat();
  claimed.push(...(await claim()));
  expect(new Set(claimed.map((job) => job.key)).size).toBe(claimed.length);
  expect(claimed).toHaveLength(13);
  const { rows } = await pool.query(
    `select count(*)::integer as n from chronawflow.job where state = 'handed'`,
  );
  expect(rows).toEqual([{ n: 13 }]);
});

test('jobs of held priorities wait, those of core types do not, and all come when nothing is held any more', async () => {
  await registerWorker(pool, { id: 'w1', slots: 10, types: ['mail', 'entry'] });
  await pool.query(
    `insert into chronawflow.job (tenant, type, key, input, fingerprint, run_at, priority)
     select '1', type, key, '{}', '', clock_timestamp(), priority
     from (values ('mail', 'urgent', 1), ('mail', 'later', 4), ('entry', 'core', 5)) job (type, key, priority)`,
  );
  const held = (priorities: readonly number[]) =>
    claimJobs(pool, {
      handedLimit: 32,
      held: { priorities, except: ['entry'] },
      shares: (limits) => sharesOf(config.jobs, jobs, limits),
    });
  expect((await held([4, 5])).map(({ key }) => key).toSorted()).toEqual(['core', 'urgent']);
  expect(await held([4, 5])).toEqual([]);
  expect((await held([])).map(({ key }) => key)).toEqual(['later']);
});

test('a type that no live worker has code for waits, and says so', async () => {
  await registerWorker(pool, { id: 'w1', slots: 10, types: ['other'] });
  await queue.submit(request('1', 'k'));
  expect(await claim()).toEqual([]);
  expect(await queue.status({ tenant: '1', type: 'mail', key: 'k' })).toMatchObject({
    state: 'waiting',
    noWorker: true,
  });
  await registerWorker(pool, { id: 'w2', slots: 1, types: ['mail'] });
  expect(await claim()).toHaveLength(1);
});

test('a job that was handed over and never begun is handed over again (invariant 2)', async () => {
  await registerWorker(pool, { id: 'w1', slots: 10, types: ['mail'] });
  await queue.submit(request('1', 'k'));
  expect(await claim()).toHaveLength(1);
  expect(await claim()).toHaveLength(0);
  await pool.query(`update chronawflow.job set lease_until = clock_timestamp() - interval '1 second'`);
  expect(await claim()).toHaveLength(1);
});

test.each([
  ['reject', ['BACKLOG_FULL', 'BACKLOG_FULL'], ['cheap', 'vital']],
  ['defer', ['submitted', 'submitted'], ['cheap', 'late', 'urgent', 'vital']],
  // The second one finds nothing that is less urgent and not core.
  ['shed', ['submitted', 'BACKLOG_FULL'], ['urgent', 'vital']],
] as const)('a job over the backlog, overflow %s', async (overflow, expected, waiting) => {
  const input = z.null();
  const run = async () => undefined;
  const types = jobsByType([
    defineJob({ type: 'cheap', input, run, priority: 5 }),
    defineJob({ type: 'vital', input, run, priority: 5, core: true }),
    defineJob({ type: 'urgent', input, run, priority: 2 }),
    defineJob({ type: 'late', input, run, priority: 2 }),
  ]);
  const settings = { ...config.jobs, tenantBacklog: 2, overflow };
  const narrow = new JobQueue({ pool, config: settings, tenancy: config.tenancy, jobs: types });
  const submit = async (type: string) => {
    const outcomes: string[] = [];
    for await (const item of narrow.submitMany([{ tenant: '1', type, key: 'k', input: null }]))
      outcomes.push(item.outcome === 'refused' ? item.error.code : item.outcome);
    return outcomes;
  };
  expect([...(await submit('cheap')), ...(await submit('vital'))]).toEqual(['submitted', 'submitted']);
  expect([...(await submit('urgent')), ...(await submit('late'))]).toEqual(expected);
  const { rows } = await pool.query<{ type: string }>(
    `select type from chronawflow.job where state = 'waiting' order by type`,
  );
  expect(rows.map((row) => row.type)).toEqual(waiting);
  const letters = await pool.query(`select type, reason from chronawflow.dead_letter where type = 'cheap'`);
  expect(letters.rows).toEqual(overflow === 'shed' ? [{ type: 'cheap', reason: 'SHED' }] : []);
});

test('after its retention a key is free, and the steps of its former job are forgotten', async () => {
  await queue.submit(request('1', 'k', 1));
  await pool.query(
    `update chronawflow.job set state = 'done', result = '1', expires_at = clock_timestamp() + interval '1 hour'`,
  );
  await expect(queue.submit(request('1', 'k', 2))).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  await pool.query(
    `insert into chronawflow.idempotency (tenant, scope, key, fingerprint, state, owner, lease_until)
     values ('1', 'job ["mail","k"]', 'step', '', 'completed', 'o', now());
     update chronawflow.job set expires_at = clock_timestamp() - interval '1 second'`,
  );
  expect(await queue.submit(request('1', 'k', 2))).toBe('submitted');
  expect((await pool.query('select from chronawflow.idempotency')).rowCount).toBe(0);
  await pool.query(`update chronawflow.job set expires_at = clock_timestamp() - interval '1 second'`);
  expect(await removeExpired(pool)).toBe(1);
});

test('a tenant’s retries beyond its budget are put off, one after the other; another tenant’s are not', async () => {
  const take = (tenant: string) => inTransaction(pool, (tx) => takeRetryBudget(tx, tenant, 6));
  const waits: number[] = [];
  for (let n = 0; n < 7; n += 1) waits.push(await take('busy'));
  // Half of a minute's at once, then one in ten seconds.
  expect(waits.slice(0, 3)).toEqual([0, 0, 0]);
  expect(waits[6]).toBeGreaterThan(10_000);
  expect(waits[6]).toBeLessThanOrEqual(40_000);
  expect(await take('calm')).toBe(0);
});

test('depth, age and dead letters are shown for each tenant, for the alert on depth', async () => {
  await queue.submit(request('1', 'a'));
  await queue.submit(request('1', 'b'));
  const registry = new Registry();
  const metrics = new JobMetrics(new Metrics({ registry }));
  metrics.read(await readDepths(pool, 100));
  metrics.ended({ tenant: '1', type: 'mail', key: 'a' }, { kind: 'done' });
  const text = await registry.metrics();
  expect(text).toContain('chronawflow_queue_depth{queue="jobs",tenant="1"} 2');
  expect(text).toContain('chronawflow_job_attempts_total{tenant="1",type="mail",end="done"} 1');
  expect(text).toMatch(/chronawflow_queue_oldest_seconds\{queue="jobs",tenant="1"\} \d/);
  metrics.close();
});

test('a claim from a long queue is not compiled first, whatever the planner thinks that it costs', async () => {
  const rows = Array.from({ length: 2_000 }, (_, n) => request('1', `k${n}`));
  for await (const item of queue.submitMany(rows)) expect(item.outcome).toBe('submitted');
  await registerWorker(pool, { id: 'w', slots: 10, types: ['mail'] });
  await pool.query('analyze chronawflow.job');
  const explained = createPool(database.postgres.connection('app'), {
    applicationName: 'explained',
    sessionSettings: {
      session_preload_libraries: 'auto_explain',
      'auto_explain.log_min_duration': '0',
      'auto_explain.log_analyze': 'on',
    },
  });
  try {
    const claimed = await claimJobs(explained, {
      handedLimit: 32,
      shares: (limits) => sharesOf(config.jobs, jobs, limits),
    });
    expect(claimed.length).toBeGreaterThan(0);
  } finally {
    await explained.end();
  }
  const log = await readFile(database.postgres.logFile, 'utf8');
  expect(log).toContain('Recursive Union');
  expect(log).not.toContain('JIT:');
});
