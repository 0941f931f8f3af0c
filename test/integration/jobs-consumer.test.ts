import type { Pool } from 'pg';
import { z } from 'zod';
import { parseConfig } from '../../config';
import {
  BacklogFullError,
  defineJob,
  JobFencedError,
  type JobPriority,
  jobsByType,
  type LeasedJob,
  PriorityQueueManager,
  QueueBoundaryManager,
  readDeadLetters,
  readHolds,
  setLimit,
} from '../../core/jobs';
import { applyMigrations } from '../../database';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const log = { info: () => undefined, warn: () => undefined };
const mail = defineJob({
  type: 'mail',
  input: z.object({ to: z.number() }),
  retry: { maxAttempts: 2, initial: 1, max: 1 },
  run: async () => undefined,
});

let postgres: RealPostgres;
let pool: Pool;
let cleanUp: CleanUp;

beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.createDatabase('app');
  pool = postgres.connect('app', 'postgres', 20);
  await applyMigrations(pool, 'application');
  await pool.query(
    `create table tenants (id text primary key); insert into tenants values ('a'), ('b');
     create table effect (name text not null)`,
  );
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  cleanUp = new CleanUp();
  await pool.query(
    `truncate chronawflow.job, chronawflow.dead_letter, chronawflow.job_limit, chronawflow.job_hold, chronawflow.job_outcome,
       chronawflow.idempotency, effect`,
  );
});
afterEach(() => cleanUp.run());

function optionsWith(jobs: object) {
  const raw = {
    platform: { database: postgres.connection('app') },
    application: { database: postgres.connection('app'), backup: { stanza: 'none', configFile: 'none' } },
    tenancy: { table: 'public.tenants' },
    // Longer than any of them is held up.
    jobs: { lease: 60_000, ...jobs },
  };
  const config = parseConfig(JSON.stringify(raw), { file: '/none/chronawflow.yaml', env: {} });
  return { pool, config: config.jobs, tenancy: config.tenancy, jobs: jobsByType([mail]), log };
}

function open(jobs: object = {}): QueueBoundaryManager {
  const queue = new QueueBoundaryManager(optionsWith(jobs));
  cleanUp.add(() => queue.close());
  return queue;
}

async function enqueue(queue: QueueBoundaryManager, tenant: string, count: number): Promise<void> {
  const one = (n: number) => queue.enqueue({ tenant, type: 'mail', key: `${tenant}${n}`, input: { to: n } });
  await Promise.all(Array.from({ length: count }, (_, n) => one(n)));
}

const stateOf = async (key: string) =>
  (await pool.query<{ state: string }>('select state from chronawflow.job where key = $1', [key])).rows[0]
    ?.state;

test('two consumers share the queue: each job is leased to one, and its effect happens once', async () => {
  const queues = [open(), open()];
  await enqueue(open(), 'a', 60);
  const taken: string[] = [];
  const consume = async (queue: QueueBoundaryManager) => {
    while (taken.length < 60) {
      for (const job of await queue.dequeue(3)) {
        taken.push(job.key);
        await job.once('send', async (tx) => {
          await tx.query('insert into effect values ($1)', [job.key]);
        });
        await job.acknowledge();
      }
    }
  };
  await Promise.all(queues.map(consume));
  expect(new Set(taken).size).toBe(60);
  const { rows } = await pool.query(
    'select count(*)::integer as n, count(distinct name)::integer as d from effect',
  );
  expect(rows).toEqual([{ n: 60, d: 60 }]);
});

test('consumers that take at once never exceed a cap, and tenants share what there is (invariants 2, 5)', async () => {
  const queues = [open({ tenantInFlight: 6 }), open({ tenantInFlight: 6 })];
  await enqueue(open(), 'a', 30);
  await enqueue(open(), 'b', 3);
  await setLimit(pool, { type: 'mail' }, { inFlight: 8 }, { by: 'ada' });
  const taken: LeasedJob[] = [];
  await until(async () => {
    taken.push(...(await Promise.all(queues.map((queue) => queue.dequeue(5)))).flat());
    const { rowCount } = await pool.query(`select from chronawflow.job where state = 'running'`);
    return rowCount === 8;
  });
  for (const queue of queues) expect(await queue.dequeue(5)).toEqual([]);
  const of = (tenant: string) => taken.filter((job) => job.tenant === tenant).length;
  expect({ a: of('a'), b: of('b') }).toEqual({ a: 5, b: 3 });
});

test('what fails is retried, then a dead letter, like every job', async () => {
  const queue = open();
  await enqueue(queue, 'a', 1);
  const ends: string[] = [];
  await until(async () => {
    for (const job of await queue.dequeue())
      ends.push((await queue.handleFailure(job, new Error('refused'))).kind);
    return ends.length === 2;
  });
  expect(ends).toEqual(['waiting', 'dead']);
  expect(await readDeadLetters(pool, {}, 10)).toMatchObject([
    { tenant: 'a', key: 'a0', reason: 'ATTEMPTS_EXHAUSTED', attempts: 2 },
  ]);
});

test('what fails too much is held by rule, whoever it fails for (invariant 13)', async () => {
  const queue = new QueueBoundaryManager(optionsWith({ quarantine: { minEnds: 6 } }));
  await enqueue(queue, 'a', 3);
  let failed = 0;
  await until(async () => {
    for (const job of await queue.dequeue(3)) {
      await queue.handleFailure(job, new Error('refused'));
      failed += 1;
    }
    return failed === 6;
  });
  // It judges when it is asked for work, some seconds apart, and when it is closed.
  await queue.close();
  expect(await readHolds(pool)).toMatchObject([
    { kind: 'quarantine', tenant: 'a', type: 'mail', reason: '6 of 6 attempts failed' },
  ]);
  await enqueue(open(), 'b', 1);
  expect((await open().dequeue(5)).map((job) => job.tenant)).toEqual(['b']);
});

test('a lease that lapsed is told, cannot acknowledge, and loses its effects (invariants 3, 4)', async () => {
  const queue = open({ lease: 1_000 });
  await enqueue(queue, 'a', 1);
  const [job] = await queue.dequeue();
  await pool.query(`update chronawflow.job set lease_until = clock_timestamp() - interval '1 second'`);
  await until(() => job?.lost.aborted === true, { what: 'the consumer to be told' });
  await expect(
    job?.once('send', async (tx) => {
      await tx.query(`insert into effect values ('late')`);
    }),
  ).rejects.toBeInstanceOf(JobFencedError);
  await expect(job?.acknowledge()).rejects.toBeInstanceOf(JobFencedError);
  expect((await pool.query('select from effect')).rowCount).toBe(0);
});

test('a consumer that closes gives back what it has not ended, without counting the attempt', async () => {
  const queue = open();
  await enqueue(queue, 'a', 2);
  const jobs = await queue.dequeue(2);
  await jobs[0]?.acknowledge({ ok: true });
  await queue.close();
  expect([await stateOf('a0'), await stateOf('a1')].sort()).toEqual(['done', 'waiting']);
  const { rows } = await pool.query(`select attempts from chronawflow.job where state = 'waiting'`);
  expect(rows).toEqual([{ attempts: 0 }]);
});

test('the queue by its levels: the most urgent comes first, and what has no room is refused, deferred, or takes a place', async () => {
  const queue = new PriorityQueueManager(optionsWith({ tenantBacklog: 3 }));
  cleanUp.add(() => queue.close());
  const at = (key: string, priority: JobPriority) => ({
    tenant: 'a',
    type: 'mail',
    key,
    input: { to: 1 },
    priority,
  });
  for (const one of [at('low', 5), at('high', 1), at('middle', 3)]) await queue.enqueue(one);
  await expect(queue.enqueue(at('more', 2))).rejects.toBeInstanceOf(BacklogFullError);
  await expect(queue.handleOverflow(at('more', 5), 'shed')).rejects.toBeInstanceOf(BacklogFullError);
  expect(await queue.handleOverflow(at('more', 2), 'shed')).toBe('submitted');
  expect(await queue.handleOverflow(at('later', 4), 'defer')).toBe('submitted');
  const order: string[] = [];
  for (let next = await queue.dequeue(); next.length > 0; next = await queue.dequeue())
    for (const job of next) {
      order.push(job.key);
      await job.acknowledge();
    }
  expect(order).toEqual(['high', 'more', 'middle', 'later']);
  expect(await readDeadLetters(pool, {}, 10)).toMatchObject([{ key: 'low', reason: 'SHED' }]);
});
