import type { SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';
import { until } from '../support/until';

const { twoTenants: world, all } = useSliceLabs();

describe('11: the schema is part of what is approved', () => {
  const invoices = `create type status as enum ('draft', 'sent');
    create domain amount as numeric;
    create table invoices (id int primary key, tenant_id text not null, status status, total amount, note text);
    insert into invoices values (1, 'a', 'draft', -1, null), (2, 'a', 'sent', 5, 'x'), (3, 'b', 'sent', 7, 'y');`;

  test.each([
    'alter table invoices add column extra text',
    'alter table invoices alter column note type varchar(40)',
    'create unique index on invoices (note)',
    'alter table invoices add check (id > 0)',
    'alter table invoices rename column note to remark',
    'alter table invoices add foreign key (tenant_id) references tenants',
    `alter type status add value 'paid'`,
    'alter domain amount add check (value > -100)',
    'create table late (id int primary key, tenant_id text not null)',
    'create trigger t after update on invoices for each row execute function suppress_redundant_updates_trigger()',
  ])('11: between preview and merge, "%s" stops it', async (ddl) => {
    const lab = await world(invoices);
    const target = await lab.captureTarget();
    await lab.live.query('update invoices set id = id + 10 where id = 1');
    const prepared = await lab.prepare('a', target);
    await lab.live.query(ddl);
    const before = await all(lab, 'invoices');
    await expect(prepared.merge()).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
    await prepared.end();
    expect(await all(lab, 'invoices')).toEqual(before);
  });

  test('11: DDL that commits while the merge waits for its lock stops it as well', async () => {
    const lab = await world(
      `create table parents (id int primary key);
      create table children (id int primary key, tenant_id text not null, parent_id int);
      insert into children values (1, 'a', 77), (2, 'b', null);`,
      {
        overrides: { 'public.parents': { mode: 'shared' } },
      },
    );
    const target = await lab.captureTarget();
    await lab.live.query('delete from children where id = 1');
    const prepared = await lab.prepare('a', target);
    const ddl = await lab.live.connect();
    await ddl.query('begin');
    await ddl.query('alter table children add foreign key (parent_id) references parents');
    const merging = prepared.merge();
    const settled = merging.then(
      () => 'merged',
      (error: unknown) => error,
    );
    await waitForWaiter(lab);
    await ddl.query('commit');
    ddl.release();
    expect(await settled).toMatchObject({ code: 'SCHEMA_CHANGED' });
    await prepared.end();
    expect(await all(lab, 'children')).toEqual(['(2,b,)']);
  });

  test('11: an enum value that is gone since the target is named in the preview', async () => {
    const lab = await world(invoices);
    const target = await lab.captureTarget();
    await lab.live.query(`alter type status rename value 'draft' to 'concept'`);
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview).toMatchObject({
      blocked: true,
      conflicts: [{ table: 'public.invoices', kind: 'schema-changed' }],
    });
    await prepared.end();
  });

  test.each([
    { since: 'a CHECK', ddl: 'alter table invoices add check (total >= 0)' },
    { since: 'NOT NULL', ddl: 'alter table invoices alter column note set not null' },
    { since: 'a domain’s CHECK', ddl: 'alter domain amount add check (value >= 0)' },
    { since: 'a domain’s NOT NULL', ddl: 'alter domain amount set not null', lost: 'total = null' },
  ])(
    '11: $since that refuses an old row is named in the preview; skipped, the row stays away',
    async ({ ddl, lost }) => {
      const lab = await world(invoices);
      if (lost !== undefined) await lab.live.query(`update invoices set ${lost} where id = 1`);
      const target = await lab.captureTarget();
      await lab.live.query(`delete from invoices where tenant_id = 'a'`);
      await lab.live.query(ddl);
      const prepared = await lab.prepare('a', target);
      expect(prepared.preview.conflicts).toMatchObject([
        { table: 'public.invoices', kind: 'constraint-violated', rows: 1, decision: 'block' },
      ]);
      await prepared.end();
      const { merge } = await lab.restore('a', target, {
        decisions: [{ table: 'public.invoices', kind: 'constraint-violated', decision: 'skip' }],
      });
      expect(merge).toMatchObject({ kind: 'merged' });
      expect(await all(lab, 'invoices')).toEqual(['(2,a,sent,5,x)', '(3,b,sent,7,y)']);
    },
  );
});

describe('12: counters, views and unlogged tables', () => {
  test('12: a forward column keeps the greater value, the rest of its row comes back', async () => {
    const lab = await world(
      `create table counters (tenant_id text primary key, next_number bigint, label text);
      insert into counters values ('a', 10, 'then'), ('b', 5, 'b');`,
      { overrides: { 'public.counters': { forward: 'next_number' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query(`update counters set next_number = 25, label = 'now' where tenant_id = 'a'`);
    await lab.restore('a', target);
    expect(await all(lab, 'counters')).toEqual(['(a,25,then)', '(b,5,b)']);
    const { preview } = await lab.restore('a', target);
    expect(preview.totals).toMatchObject({ insert: 0, update: 0, delete: 0 });
    await lab.live.query(`update counters set next_number = 3 where tenant_id = 'a'`);
    await lab.restore('a', target);
    expect(await all(lab, 'counters')).toEqual(['(a,10,then)', '(b,5,b)']);
    await lab.live.query(`delete from counters where tenant_id = 'a'`);
    await lab.restore('a', target);
    expect(await all(lab, 'counters')).toEqual(['(a,10,then)', '(b,5,b)']);
  });

  test('12, 13: materialized views, publications and slots are named in the preview', async () => {
    const lab = await world(`create table t (id int primary key, tenant_id text not null);
      create materialized view totals as select count(*) from t;
      create publication everything for all tables;`);
    const target = await lab.captureTarget();
    await lab.live.query(`select pg_create_logical_replication_slot('reader', 'test_decoding')`);
    try {
      const { preview } = await lab.restore('a', target);
      const notices = preview.notices.join('\n');
      expect(notices).toContain('public.totals');
      expect(notices).toContain('everything');
      expect(notices).toContain('reader');
    } finally {
      await lab.live.query(`select pg_drop_replication_slot('reader')`);
    }
  });

  test('12: an unlogged table is an error that names it and the way out', async () => {
    const lab = await world(
      'create unlogged table scratchpad (id int primary key, tenant_id text not null);',
    );
    const target = await lab.captureTarget();
    await expect(lab.prepare('a', target)).rejects.toMatchObject({
      code: 'ATTRIBUTION_UNCLEAR',
      message: expect.stringContaining('public.scratchpad'),
    });
  });
});

/** Until some session of the role waits for a lock. */
async function waitForWaiter(lab: SliceLab): Promise<void> {
  await until(
    async () => {
      const { rows } = await lab.live.query<{ waiting: boolean }>(
        `select exists (select from pg_stat_activity
           where datname = current_database() and usename = 'chronawflow' and wait_event_type = 'Lock') as waiting`,
      );
      return rows[0]?.waiting ?? false;
    },
    { what: 'the merge to wait for a lock' },
  );
}
