import type { Pool } from 'pg';
import type { SliceLab } from '../support/slice-lab';
import { TENANTS, useSliceLabs } from '../support/slice-labs';

const { world, all } = useSliceLabs();

describe('columns that changed since the target', () => {
  const t = `${TENANTS} create table t (id int primary key, tenant_id text not null, v text, n int, d text);
    insert into t values (1, 'a', 'x', 1, 'd1'), (2, 'a', 'y', 2, 'd2'), (3, 'b', 'z', 3, 'd3');`;

  test('dropped and added columns are named; what both sides have comes back', async () => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await lab.live.query(`alter table t drop column d, add column fresh text default 'new', add column needed int not null default 7;
      update t set v = 'changed', fresh = 'mine' where id = 1; delete from t where id = 2`);
    const { preview } = await lab.restore('a', target);
    expect(preview.tables.find((table) => table.table === 'public.t')).toMatchObject({
      addedColumns: ['fresh', 'needed'],
      droppedColumns: ['d'],
      insert: 1,
      update: 1,
    });
    expect(await all(lab, 't')).toEqual(['(1,a,x,1,mine,7)', '(2,a,y,2,new,7)', '(3,b,z,3,new,7)']);
  });

  test('a retyped column blocks; skipped, it keeps what it has', async () => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await lab.live.query(
      `alter table t alter column n type bigint; update t set v = 'changed', n = 99 where id = 1`,
    );
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview).toMatchObject({
      blocked: true,
      conflicts: [{ table: 'public.t', kind: 'schema-changed' }],
    });
    await prepared.end();
    await lab.restore('a', target, {
      decisions: [{ table: 'public.t', kind: 'schema-changed', decision: 'skip' }],
    });
    expect(await all(lab, 't')).toContain('(1,a,x,99,d1)');
  });

  test.each([
    { story: 'retyped', ddl: 'alter table t alter column tenant_id type varchar(80)' },
    {
      story: 'retyped into a domain',
      ddl: `create domain tenant_key as text; alter table t alter column tenant_id type tenant_key`,
    },
  ])('a tenant column that was $story blocks with a conflict', async ({ ddl }) => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await lab.live.query(ddl);
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.conflicts).toContainEqual(
      expect.objectContaining({ table: 'public.t', kind: 'schema-changed', decision: 'block' }),
    );
    await prepared.end();
  });

  test('a tenant column that was of a type without common equality blocks with a conflict', async () => {
    const lab = await world(`create table tenants (id int primary key); insert into tenants values (1), (2);
      create table t (id int primary key, tenant_id text not null); insert into t values (1, '1'), (2, '2');`);
    const target = await lab.captureTarget();
    await lab.live.query('alter table t alter column tenant_id type int using tenant_id::int');
    const prepared = await lab.prepare('1', target);
    expect(prepared.preview.conflicts).toMatchObject([{ table: 'public.t', kind: 'schema-changed' }]);
    await prepared.end();
  });

  test('a tenant column, or a whole path, that did not exist at the target blocks with a conflict', async () => {
    const lab = await world(
      `${TENANTS} create table t (id int primary key); create table u (id int primary key, t_id int references t);
      insert into t values (1); insert into u values (1, 1);`,
      { overrides: {} },
    );
    const target = await lab.captureTarget();
    await lab.live.query(`alter table t add column tenant_id text; update t set tenant_id = 'a'`);
    const before = [await all(lab, 't'), await all(lab, 'u')];
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.blocked).toBe(true);
    expect(prepared.preview.conflicts).toMatchObject([
      { table: 'public.t', kind: 'schema-changed' },
      { table: 'public.u', kind: 'schema-changed' },
    ]);
    await prepared.end();
    await lab.restore('a', target, {
      decisions: ['public.t', 'public.u'].map((table) => ({
        table,
        kind: 'schema-changed' as const,
        decision: 'skip' as const,
      })),
    });
    expect([await all(lab, 't'), await all(lab, 'u')]).toEqual(before);
  });

  test('tables made or dropped since are named, their rows left alone', async () => {
    const lab = await world(
      `${t} create table old (id int primary key, tenant_id text not null); insert into old values (1, 'a');`,
    );
    const target = await lab.captureTarget();
    await lab.live.query(
      `drop table old; create table fresh (id int primary key, tenant_id text not null); insert into fresh values (1, 'a')`,
    );
    await lab.app.grant();
    const { preview } = await lab.restore('a', target);
    expect(preview.notices.join('\n')).toMatch(/public\.fresh.*did not exist[\s\S]*public\.old.*existed/);
    expect(await all(lab, 'fresh')).toEqual(['(1,a)']);
  });
});

describe('12: collations on scratch', () => {
  /** Sessions report their use of indexes when they end. */
  async function indexScans(lab: SliceLab, target: Pool): Promise<number> {
    const database = (await target.query<{ name: string }>('select current_database() as name')).rows[0]
      ?.name;
    await lab.live.query('select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = $1', [
      database,
    ]);
    const { rows } = await target.query<{ scans: string }>(
      `select coalesce(sum(idx_scan), 0) as scans from pg_stat_user_indexes where schemaname = 'public'`,
    );
    return Number(rows[0]?.scans);
  }

  test.each([
    { version: 'the same', scans: true },
    { version: 'another', scans: false },
  ])('12: with $version version there, indexes over text are used: $scans', async ({ scans }) => {
    const lab = await world(`create collation de (provider = icu, locale = 'de');
      create table tenants (id text collate de primary key); insert into tenants values ('a'), ('b');
      create table t (id text collate de primary key, tenant_id text collate de not null); create index on t (tenant_id);
      insert into t select i::text, case when i % 1000 = 0 then 'a' else 'b' end from generate_series(1, 20000) i; analyze;`);
    const target = await lab.captureTarget();
    if (!scans) {
      await target.query(
        `set allow_system_table_mods = on; update pg_collation set collversion = '1' where collname = 'de'`,
      );
    }
    const before = await indexScans(lab, target);
    await lab.live.query(
      `delete from t where tenant_id = 'a' and id < '15'; insert into t values ('new', 'a')`,
    );
    await lab.restore('a', target);
    const used = (await indexScans(lab, target)) - before;
    expect(scans ? used > 1 : used <= 1).toBe(true);
    expect(await all(lab, 't')).toHaveLength(20_000);
  });
});

test('a target before any of the tenant’s tables is refused by name', async () => {
  const lab = await world(`create table clients (id text primary key); insert into clients values ('a');`, {
    table: 'public.tenants',
  });
  const target = await lab.captureTarget();
  await lab.live.query('alter table clients rename to tenants');
  await expect(lab.prepare('a', target)).rejects.toMatchObject({
    code: 'TENANT_ABSENT_AT_TARGET',
    message: expect.stringContaining('None of the tables'),
  });
});
