import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase, Pool } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { readScratch } from '../../core/recovery/scratch/read-scratch';
import { inOneSession, sharedBy } from '../../core/recovery/sessions';
import { largestFirst } from '../../core/recovery/slice/largest-first';
import { inTransaction } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

let server: RealPostgres;
let pool: Pool;

beforeAll(async () => {
  server = await startPostgres();
  pool = server.connect('postgres', 'postgres', 4);
  await pool.query('create table done (item int)');
});
afterAll(() => server?.stop());
afterEach(() => pool.query('truncate done'));

const ITEMS = Array.from({ length: 20 }, (_, i) => i);

test('sessions share the items, and results keep their order', async () => {
  const pids = new Set<number>();
  const results = await sharedBy(pool, 3, async () => undefined).each(ITEMS, async (tx, item) => {
    const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
    pids.add(rows[0]?.pid ?? 0);
    // One that connects late would else find nothing left.
    await until(() => pids.size === 3, { what: 'the third session' });
    return item * 2;
  });
  expect(results).toEqual(ITEMS.map((item) => item * 2));
  expect(pids.size).toBe(3);
});

test('the largest tables come first, partitions counted, and equal ones keep their order', async () => {
  await pool.query(`
    create table small (text text); insert into small select repeat('x', 500) from generate_series(1, 100);
    create table large (text text); insert into large select repeat('x', 500) from generate_series(1, 2000);
    create table parts (id int, text text) partition by range (id);
    create table part_1 partition of parts for values from (0) to (1000);
    create table part_2 partition of parts for values from (1000) to (2000);
    insert into parts select i, repeat('x', 500) from generate_series(0, 999) i;
    create table empty_1 (id int); create table empty_2 (id int);
    analyze`);
  const names = ['empty_1', 'small', 'parts', 'empty_2', 'large'];
  const { rows } = await pool.query<{ oid: string; name: string }>(
    'select k::regclass::oid::int8 as oid, k as name from unnest($1::text[]) with ordinality u (k, n) order by n',
    [names],
  );
  const tables = rows.map(({ oid, name }, n) => ({ n, oid: Number(oid), name }));
  const order = await largestFirst(pool, tables);
  expect(order.map(({ name }) => name)).toEqual(['large', 'parts', 'small', 'empty_1', 'empty_2']);
});

test('each session prepares itself once and commits what it did', async () => {
  let prepared = 0;
  const sessions = sharedBy(pool, 2, async (tx) => {
    prepared += 1;
    await tx.query('set local work_mem = 65536');
  });
  const settings = await sessions.each(ITEMS, async (tx, item) => {
    await tx.query('insert into done values ($1)', [item]);
    return (await tx.query<{ work_mem: string }>('show work_mem')).rows[0]?.work_mem;
  });
  expect(prepared).toBe(2);
  expect(new Set(settings)).toEqual(new Set(['64MB']));
  const { rows } = await pool.query<{ count: string }>('select count(distinct item) from done');
  expect(rows[0]?.count).toBe('20');
});

test('after a failure nothing further is begun, and the failing session leaves nothing', async () => {
  const begun: number[] = [];
  let fails = () => {};
  const failing = new Promise<void>((resolve) => {
    fails = resolve;
  });
  const sessions = sharedBy(pool, 2, async () => undefined);
  await expect(
    sessions.each(ITEMS, async (tx, item) => {
      begun.push(item);
      // The other session may have one more in hand.
      if (item > 3) await failing;
      await tx.query('insert into done values ($1)', [item]);
      if (item !== 3) return;
      fails();
      throw new Error('item 3 is bad');
    }),
  ).rejects.toThrow('item 3 is bad');
  expect(begun.filter((item) => item > 4)).toEqual([]);
  const { rows } = await pool.query('select from done where item = 3');
  expect(rows).toEqual([]);
});

test('in one session, each item sees what the ones before it wrote', async () => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const seen = await inOneSession(client).each([1, 2, 3], async (tx, item) => {
      await tx.query('insert into done values ($1)', [item]);
      return (await tx.query('select from done')).rowCount;
    });
    expect(seen).toEqual([1, 2, 3]);
    await client.query('rollback');
  } finally {
    client.release();
  }
});

test.each([
  ['a transaction', (work: (client: ClientBase) => Promise<unknown>) => inTransaction(pool, work)],
  ['a read of scratch', (work: (client: ClientBase) => Promise<unknown>) => readScratch(pool, work)],
])(
  '%s that is given up in the middle of a COPY ends, and its connection is not used again',
  async (_, begin) => {
    const stop = new AbortController();
    const reading = begin(async (client) => {
      const rows = client.query(
        copyTo('copy (select n, repeat(n::text, 50) from generate_series(1, 2000000) n) to stdout'),
      );
      const slow = new Writable({
        write: (_chunk, _encoding, done) => {
          stop.abort(new Error('given up'));
          setImmediate(done);
        },
      });
      await pipeline(rows, slow, { signal: stop.signal });
    });
    await expect(reading).rejects.toThrow('aborted');
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await until(async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where query like 'copy (select n%' and state <> 'idle'`,
      );
      return rows.length === 0;
    });
  },
);

test('nothing to do opens no session', async () => {
  const none = sharedBy(pool, 2, () => Promise.reject(new Error('opened')));
  expect(await none.each([], async () => 1)).toEqual([]);
});
