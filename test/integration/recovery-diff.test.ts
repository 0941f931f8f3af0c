import { useSliceLabs } from '../support/slice-labs';
import { until } from '../support/until';

const { twoTenants: world, all } = useSliceLabs();

describe('8: equality is by stored image', () => {
  /** Pairs that their type's `=` takes for equal, or that have no `=` at all. */
  const pairs = [
    { type: 'numeric', at: `'1.0'`, now: `'1.00'` },
    { type: 'numeric(6,2)', at: `'NaN'`, now: `'1'` },
    { type: 'float8', at: `'0'`, now: `'-0'` },
    { type: 'float4', at: `'-0'`, now: `'0'` },
    { type: 'float8', at: `'0.1'`, now: `'0.10000000000000002'` },
    { type: 'json', at: `'{"a": 1}'`, now: `'{"a":1}'` },
    { type: 'json', at: `'{"a":1,"a":2}'`, now: `'{"a":2}'` },
    { type: 'jsonb', at: `'1.0'`, now: `'1.00'` },
    { type: 'point', at: `'(0,0)'`, now: `'(-0,0)'` },
    { type: 'numeric[]', at: `'{1.0,NULL}'`, now: `'{1.00,NULL}'` },
    { type: 'int[]', at: `'[2:3]={1,2}'`, now: `'{1,2}'` },
    { type: 'numrange', at: `'[1.0,2)'`, now: `'[1.00,2)'` },
    { type: 'interval', at: `'1 day'`, now: `'24:00:00'` },
    { type: 'timetz', at: `'12:00+00'`, now: `'13:00+01'` },
    { type: 'char(4)', at: `'ab'`, now: `'ac'` },
    { type: 'bpchar', at: `'ab '`, now: `'ab'` },
    { type: 'citext', at: `'A'`, now: `'a'` },
    { type: 'text collate any_case', at: `'A'`, now: `'a'` },
    { type: 'money', at: `'1.00'`, now: `'1.01'` },
    { type: 'xml', at: `'<a/>'`, now: `'<a></a>'` },
    { type: 'bytea', at: `'\\x00'`, now: `'\\x0000'` },
    { type: 'timestamptz', at: `'infinity'`, now: `'2026-01-01'` },
    { type: 'pair', at: `'(1.0,A)'`, now: `'(1.00,A)'` },
    { type: 'cents', at: `'1.0'`, now: `'1.00'` },
    { type: 'text', at: `''`, now: 'null' },
    { type: 'box', at: `'(1,1),(0,0)'`, now: `'(1,1),(-0,0)'` },
  ];

  test('8: 1.0 and 1.00, 0 and -0, A and a in citext, documents that differ in blanks are different, as columns', async () => {
    const tables = pairs.map(
      ({ type, at }, i) => `create table t${i} (id int primary key, tenant_id text not null, v ${type});
        insert into t${i} values (1, 'a', ${at}), (2, 'a', ${at}), (3, 'b', ${at});`,
    );
    const lab = await world(`create extension citext;
      create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create domain cents as numeric; create type pair as (n numeric, c citext); ${tables.join('\n')}`);
    const target = await lab.captureTarget();
    const read = () => Promise.all(pairs.map((_, i) => all(lab, `t${i}`)));
    const atTarget = await read();
    for (const [i, { now }] of pairs.entries())
      await lab.live.query(`update t${i} set v = ${now} where id = 1`);
    const { preview } = await lab.restore('a', target);
    const counts = (update: number, unchanged: number) =>
      pairs.map(({ type }, i) => ({ type, table: `public.t${i}`, insert: 0, update, delete: 0, unchanged }));
    const counted = (tables: typeof preview.tables) =>
      pairs.map(({ type }, i) => {
        const {
          table,
          insert,
          update,
          delete: gone,
          unchanged,
        } = tables.find((t) => t.table === `public.t${i}`) ?? {};
        return { type, table, insert, update, delete: gone, unchanged };
      });
    expect(counted(preview.tables)).toEqual(counts(1, 1));
    expect(await read()).toEqual(atTarget);
    const again = await lab.restore('a', target);
    expect(counted(again.preview.tables)).toEqual(counts(0, 2));
  });

  test('19: a digest sees two rows exchange a column, and a column moved within a row', async () => {
    const lab =
      await world(`create table t (id int primary key, tenant_id text references tenants, a int, b int);
      insert into t values (1, 'a', 10, 20), (2, 'a', 30, 40)`);
    const target = await lab.captureTarget();
    const digests = new Set<string>();
    for (const values of [
      '(1, 10, 20), (2, 30, 40)',
      '(1, 30, 20), (2, 10, 40)',
      '(1, 10, 40), (2, 30, 20)',
      '(1, 20, 10), (2, 30, 40)',
    ]) {
      await lab.live.query(
        `update t set a = v.a, b = v.b from (values ${values}) v (id, a, b) where v.id = t.id`,
      );
      const prepared = await lab.prepare('a', target);
      digests.add(prepared.preview.digestNow);
      await prepared.end();
    }
    expect(digests.size).toBe(4);
  });

  test('8: a digest tells images apart that the type takes for equal', async () => {
    const lab = await world(`create extension citext;
      create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table t (id int primary key, tenant_id text not null, n numeric, c citext, i text collate any_case, f float8);
      insert into t values (1, 'a', 1.0, 'A', 'A', 0);`);
    const digests = new Set<string>();
    const target = await lab.captureTarget();
    for (const set of ['n = 1.0', 'n = 1.00', `n = 1.0, c = 'a'`, `c = 'A', i = 'a'`, `i = 'A', f = '-0'`]) {
      await lab.live.query(`update t set ${set}`);
      const prepared = await lab.prepare('a', target);
      digests.add(prepared.preview.digestNow);
      await prepared.end();
    }
    expect(digests.size).toBe(5);
  });

  test.each([
    { type: 'citext', at: `'Key'`, now: `'kEY'` },
    { type: 'numeric', at: `1.0`, now: `1.00` },
    { type: 'float8', at: `0`, now: `'-0'` },
    { type: 'text collate any_case', at: `'Key'`, now: `'KEY'` },
  ])(
    '8: a key of type $type whose image changed, not its value, comes back as it was',
    async ({ type, at, now }) => {
      const lab = await world(`create extension citext;
      create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table t (k ${type} primary key, tenant_id text not null, note text);
      create table only_key (tenant_id text not null, k ${type}, primary key (tenant_id, k));
      insert into t values (${at}, 'a', 'x'); insert into only_key values ('a', ${at});`);
      const target = await lab.captureTarget();
      const atTarget = [await all(lab, 't'), await all(lab, 'only_key')];
      await lab.live.query(`update t set k = ${now}; update only_key set k = ${now}`);
      const { preview } = await lab.restore('a', target);
      expect(preview.totals).toMatchObject({ insert: 0, update: 2, delete: 0 });
      expect([await all(lab, 't'), await all(lab, 'only_key')]).toEqual(atTarget);
    },
  );

  test('8: session defaults of the role change neither diff nor hash', async () => {
    const lab =
      await world(`create table t (id int primary key, tenant_id text not null, at timestamptz, f float8, b bytea, i interval);
      insert into t values (1, 'a', '2026-01-01 12:00:00.123456Z', 0.1, '\\xdeadbeef', '1 mon 2 days');
      alter role chronawflow set timezone = 'Asia/Kathmandu'; alter role chronawflow set extra_float_digits = -3;
      alter role chronawflow set bytea_output = 'escape'; alter role chronawflow set intervalstyle = 'iso_8601';`);
    try {
      const target = await lab.captureTarget();
      const { preview, merge } = await lab.restore('a', target);
      expect(preview.totals).toMatchObject({ insert: 0, update: 0, delete: 0, unchanged: 2 });
      expect(merge).toMatchObject({ kind: 'merged' });
    } finally {
      await lab.live.query('alter role chronawflow reset all');
    }
  });
});

describe('13: staging and replication', () => {
  test('13: with a publication for all tables, deletes without key and staging pass, and staging is not sent', async () => {
    const lab = await world(`create table t (id int primary key, tenant_id text not null);
      create publication everything for all tables;
      insert into t values (1, 'a'), (2, 'b');`);
    const target = await lab.captureTarget();
    await lab.live.query(`insert into t values (3, 'a')`);
    await lab.live.query(`select pg_create_logical_replication_slot('reader13', 'test_decoding')`);
    try {
      const { merge } = await lab.restore('a', target);
      expect(merge).toMatchObject({ kind: 'merged' });
      const { rows } = await lab.live.query<{ data: string }>(
        `select data from pg_logical_slot_get_changes('reader13', null, null)`,
      );
      const sent = rows.map((row) => row.data);
      expect(sent).toContainEqual(expect.stringContaining('table public.t: DELETE'));
      expect(sent.filter((data) => /_(stage|preview)_/.test(data))).toEqual([]);
    } finally {
      await lab.live.query(`select pg_drop_replication_slot('reader13')`);
    }
  });
});

test('the session that leads a comparison may wait longer than the server lets transactions stand idle', async () => {
  const lab = await world(
    `create table notes (id int primary key, tenant_id text not null); insert into notes values (1, 'a'), (2, 'a'), (3, 'b');`,
  );
  const target = await lab.captureTarget();
  await lab.live.query('delete from notes where id = 1');
  const prepared = await lab.prepare('a', target);
  const blocker = await lab.live.connect();
  await lab.live.query(`alter role chronawflow set idle_in_transaction_session_timeout = '1s'`);
  try {
    await blocker.query('begin');
    await blocker.query(`lock table chronawflow."${prepared.restoreId}_stage_1" in access exclusive mode`);
    const [again] = await Promise.all([
      prepared.previewAgain(),
      until(async () => {
        const { rowCount } = await lab.live.query(
          `select from pg_stat_activity where usename = 'chronawflow' and state = 'idle in transaction'
             and datname = current_database() and clock_timestamp() - state_change > interval '3 seconds'`,
        );
        return (rowCount ?? 0) > 0;
      }).finally(() => blocker.query('rollback')),
    ]);
    expect(again.diffHash).toBe(prepared.preview.diffHash);
  } finally {
    blocker.release();
    await lab.live.query('alter role chronawflow reset idle_in_transaction_session_timeout');
    await prepared.end();
  }
});
