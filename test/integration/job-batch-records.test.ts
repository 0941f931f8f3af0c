import type { Pool } from 'pg';
import { JobFencedError } from '../../core/jobs';
import { BatchRecords } from '../../core/jobs/store/batch-records';
import { type BeginRequest, beginAttempts, newAttempt } from '../../core/jobs/store/begin-attempts';
import { readSteps } from '../../core/jobs/store/dead-letters';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

const REF = { tenant: 'a', type: 'import', key: 'november' };
const LEASE_MS = 60_000;

let postgres: RealPostgres;
let pool: Pool;
let attempt: BeginRequest;

beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.createDatabase('app');
  pool = postgres.connect('app', 'postgres', 5);
  await applyMigrations(pool, 'application');
  await pool.query('create table effect (name text not null)');
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  await pool.query('truncate chronawflow.job, chronawflow.idempotency, effect');
  await pool.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, run_at)
     values ('a', 'import', 'november', 'f', '{}', 3, now())`,
  );
  attempt = await begin();
});

/** A new attempt takes the permit, as after a crash of the one before. */
async function begin(): Promise<BeginRequest> {
  await pool.query(`update chronawflow.job set state = 'handed'`);
  const next = newAttempt(REF, 'this test');
  await beginAttempts(pool, [next], LEASE_MS);
  return next;
}

const records = () => new BatchRecords(pool, attempt, LEASE_MS);

const insert = (of: BatchRecords, names: readonly string[], fail?: Error) =>
  of.onceForEach(names, async (tx, fresh) => {
    await tx.query('insert into effect select unnest($1::text[])', [[...fresh]]);
    if (fail !== undefined) throw fail;
  });

const effects = async () =>
  (await pool.query<{ name: string }>('select name from effect order by name')).rows.map((row) => row.name);

test('items are done once, by this attempt and by the next, whatever chunks they come in', async () => {
  const first = records();
  expect(await insert(first, ['a', 'b', 'c'])).toBe(3);
  expect(await insert(first, ['b', 'c', 'd'])).toBe(1);
  expect(await insert(first, ['a', 'd'])).toBe(0);
  attempt = await begin();
  const second = records();
  expect(await insert(second, ['c', 'd', 'e', 'f'])).toBe(2);
  expect(await effects()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect((await readSteps(pool, REF)).map(({ step }) => step)).toEqual(['a and 2 more', 'd', 'e and 1 more']);
});

test('what a chunk that failed did is neither recorded nor remembered', async () => {
  const of = records();
  await insert(of, ['a']);
  await expect(insert(of, ['a', 'b', 'c'], new Error('no'))).rejects.toThrow('no');
  expect(await insert(of, ['b'])).toBe(1);
  expect(await effects()).toEqual(['a', 'b']);
});

test('records that earlier versions wrote for each item are honoured', async () => {
  await pool.query(
    `insert into chronawflow.idempotency
       (tenant, scope, key, fingerprint, state, owner, lease_until, completed_at, result)
     values ('a', 'job ["import","november"]', 'a', '', 'completed', 'o', now(), now(), null),
            ('a', 'job ["import","november"]', 'b', '', 'completed', 'o', now(), now(), '{"movedTo":"x","items":["c"]}')`,
  );
  expect(await insert(records(), ['a', 'b', 'c'])).toBe(1);
  expect(await effects()).toEqual(['c']);
});

test('several items move to one job, once, and are done here', async () => {
  const part = { key: 'november/b', input: { items: [] }, fingerprint: 'g' };
  await records().splitOff(['b', 'c'], part);
  attempt = await begin();
  await records().splitOff(['b', 'c'], { ...part, key: 'november/again' });
  expect(await insert(records(), ['a', 'b', 'c'])).toBe(1);
  const { rows } = await pool.query(`select key from chronawflow.job order by key`);
  expect(rows).toEqual([{ key: 'november' }, { key: 'november/b' }]);
});

test('an attempt that lost its permit records nothing (invariants 3, 4)', async () => {
  const of = records();
  await insert(of, ['a']);
  await pool.query(`update chronawflow.job set state = 'waiting' where key = 'november'`);
  attempt = await begin();
  await expect(insert(of, ['b'])).rejects.toBeInstanceOf(JobFencedError);
  await expect(of.splitOff(['c'], { key: 'x', input: {}, fingerprint: 'f' })).rejects.toBeInstanceOf(
    JobFencedError,
  );
  expect(await effects()).toEqual(['a']);
});
