import { pageChanges } from '../../core/recovery/diff/page-changes';
import { imagesOf, type SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';

/** More than many-changes.ts takes for few, so that tables lost whole are not compared row by row. */
const ROWS = 25_000;

const SCHEMA = `create table orders (id bigint primary key, tenant_id text not null references tenants on delete cascade, note text,
  copied_from bigint references orders);
create table lines (id bigint primary key, order_id bigint not null references orders on delete cascade, amount int);
create index on lines (order_id);
insert into orders (id, tenant_id, note) select i, case when i <= ${ROWS} then 'a' else 'b' end, 'o' || i from generate_series(1, ${ROWS + 10}) i;
insert into lines select i, i, i from generate_series(1, ${ROWS + 10}) i;`;

const { twoTenants } = useSliceLabs();
let lab: SliceLab;
beforeEach(async () => {
  lab = await twoTenants(SCHEMA);
});

const contents = async () =>
  Promise.all(
    ['tenants', 'orders', 'lines'].map((table) => imagesOf(lab.live, `select * from ${table} order by id`)),
  );

/** What the restore keeps of the changes that it makes, by the table's name. */
async function changesKept(restoreId: string) {
  const { rows } = await lab.live.query<{ n: number; name: string }>(
    `select (t ->> 'n')::integer as n, t ->> 'name' as name from chronawflow.restore r
     cross join jsonb_array_elements(r.plan -> 'tables') t where r.id = $1`,
    [restoreId],
  );
  return Object.fromEntries(rows.map(({ n, name }) => [name, { n, relation: `${restoreId}_changes_${n}` }]));
}

/** What the rows of these relations of schema chronawflow lie in. */
async function storesOf(...relations: readonly string[]) {
  const { rows } = await lab.live.query<{ store: string; persistence: string }>(
    `with recursive store as (
       select oid, relkind, relname, relpersistence from pg_class where relname = any ($1) and relnamespace = 'chronawflow'::regnamespace
       union select c.oid, c.relkind, c.relname, c.relpersistence from store
         join pg_rewrite w on w.ev_class = store.oid
         join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
         join pg_class c on c.oid = d.refobjid and c.oid <> store.oid)
     select relname as store, relpersistence as persistence from store where relkind = 'r' order by 1`,
    [relations],
  );
  return rows;
}

async function loseEverything() {
  const target = await lab.captureTarget();
  const atTarget = await contents();
  await lab.live.query(`delete from tenants where id = 'a'`);
  return { target, atTarget, lost: await contents() };
}

test('13, 20: what an undo needs of tables that were lost whole is durable when the merge commits', async () => {
  const { target, atTarget, lost } = await loseEverything();
  const restored = await lab.restore('a', target, { tenantDeleted: true });
  expect(restored.preview.totals).toEqual({ insert: 2 * ROWS + 1, update: 0, delete: 0, unchanged: 0 });
  expect(await contents()).toEqual(atTarget);

  for (const { n, relation } of Object.values(await changesKept(restored.restoreId))) {
    const [store, ...others] = await storesOf(relation);
    expect(others).toEqual([]);
    expect(store?.persistence).toBe('p');
    expect([relation, `${restored.restoreId}_packed_${n}`]).toContain(store?.store);
  }
  const { lines } = await changesKept(restored.restoreId);
  const kept = await lab.live.query(
    `select count(*)::integer as rows, count(distinct id)::integer as keys, bool_and(chronawflow_op = 'i') as inserts
     from chronawflow."${lines?.relation}"`,
  );
  expect(kept.rows).toEqual([{ rows: ROWS, keys: ROWS, inserts: true }]);

  // A row changed since is a conflict, also of a table that was lost whole.
  await lab.live.query(`update lines set amount = -1 where id = 7`);
  const refused = await lab.prepareUndo('a', restored.restoreId);
  expect(refused.preview.conflicts).toMatchObject([
    { table: 'public.lines', kind: 'changed-since', rows: 1, decision: 'block' },
  ]);
  await refused.end();
  await lab.live.query(`update lines set amount = 7 where id = 7`);
  const undo = await lab.prepareUndo('a', restored.restoreId);
  expect(await undo.merge()).toMatchObject({ kind: 'merged' });
  await undo.end();
  expect(await contents()).toEqual(lost);
});

test('16: a reference between two lost tables that leads nowhere stops the merge, and the next one goes through', async () => {
  const { target, atTarget, lost } = await loseEverything();
  const prepared = await lab.prepare('a', target, { tenantDeleted: true });
  const { lines } = await changesKept(prepared.restoreId);
  const stage = `chronawflow."${prepared.restoreId}_stage_${lines?.n}"`;
  await lab.live.query(`update ${stage} set order_id = 0 where id = 5`);
  await expect(prepared.merge()).rejects.toMatchObject({
    code: 'PROOF_FAILED',
    message: expect.stringContaining('lines_order_id_fkey'),
  });
  expect(await contents()).toEqual(lost);

  await lab.live.query(`update ${stage} set order_id = 5 where id = 5`);
  expect(await prepared.merge()).toMatchObject({ kind: 'merged' });
  await prepared.end();
  expect(await contents()).toEqual(atTarget);
});

test('16: a lost row that references a row of another tenant is proved among the live rows', async () => {
  await lab.live.query(`update orders set copied_from = ${ROWS + 1} where id = 3`);
  const { target, atTarget } = await loseEverything();
  const restored = await lab.restore('a', target, { tenantDeleted: true });
  expect(restored.preview.conflicts).toEqual([]);
  expect(await contents()).toEqual(atTarget);
});

test('the rows of a table that was lost whole are paged in the order of their key', async () => {
  const { target } = await loseEverything();
  const prepared = await lab.prepare('a', target, { tenantDeleted: true });
  const page = () =>
    pageChanges(lab.context, { restoreId: prepared.restoreId, table: 'public.lines', offset: 10, limit: 2 });
  const rows = [11, 12].map((id) => ({ op: 'insert', key: { id: `${id}` } }));
  expect(await page()).toMatchObject({ rows, nextOffset: 12 });
  expect(await page()).toMatchObject({ rows, nextOffset: 12 });
  expect(await prepared.merge()).toMatchObject({ kind: 'merged' });
  await prepared.end();
});

test('20: changes of lost tables with keys of any type are kept, packed where they can be, and undone', async () => {
  lab = await twoTenants(`create type kind as enum ('in', 'out', 'odd one');
    create table moves (tenant_id text not null references tenants on delete cascade, "kind of" kind, code text collate "C", at timestamptz, amount numeric,
      primary key (tenant_id, "kind of", code, at));
    create table paths (tags int[] primary key, tenant_id text not null references tenants on delete cascade);
    insert into moves select case when i <= ${ROWS} then 'a' else 'b' end, (enum_range(null::kind))[i % 3 + 1], 'c"' || i, '2026-01-01'::timestamptz + i * interval '1 second', i
      from generate_series(1, ${ROWS + 10}) i;
    insert into paths select array[i, -i], case when i <= ${ROWS} then 'a' else 'b' end from generate_series(1, ${ROWS + 10}) i;`);
  const rows = () =>
    Promise.all(
      ['moves', 'paths'].map((table) => imagesOf(lab.live, `select * from ${table} order by 1, 2`)),
    );
  const target = await lab.captureTarget();
  const atTarget = await rows();
  await lab.live.query(`delete from tenants where id = 'a'`);
  const lost = await rows();
  const { restoreId } = await lab.restore('a', target, { tenantDeleted: true });
  expect(await rows()).toEqual(atTarget);

  const { moves, paths } = await changesKept(restoreId);
  expect(await storesOf(moves?.relation ?? '', paths?.relation ?? '')).toMatchObject([
    { store: paths?.relation },
    { store: `${restoreId}_packed_${moves?.n}` },
  ]);
  const kept = await lab.live.query(
    `select count(*)::integer as rows, count(*) filter (where t.code is null)::integer as others
     from chronawflow."${moves?.relation}" c left join moves t using (tenant_id, "kind of", code, at)`,
  );
  expect(kept.rows).toEqual([{ rows: ROWS, others: 0 }]);

  await lab.live.query(`insert into moves values ('a', 'in', 'since', now(), 1)`);
  const undo = await lab.prepareUndo('a', restoreId);
  expect(undo.preview.totals).toMatchObject({ delete: 2 * ROWS + 1 });
  await undo.end();
  await lab.live.query(`delete from moves where code = 'since'`);
  const again = await lab.prepareUndo('a', restoreId);
  expect(await again.merge()).toMatchObject({ kind: 'merged' });
  await again.end();
  expect(await rows()).toEqual(lost);
});

test('9: of a lost table only the unique values that are not the tenant’s by themselves can have been taken', async () => {
  lab =
    await twoTenants(`create table invoices (id bigint primary key, tenant_id text not null references tenants on delete cascade,
      number int, code text unique, unique (tenant_id, number));
    insert into invoices select i, 'a', i, 'c' || i from generate_series(1, 200) i;`);
  const target = await lab.captureTarget();
  await lab.live.query(
    `delete from tenants where id = 'a'; insert into invoices values (1000, 'b', 5, 'c5')`,
  );
  const prepared = await lab.prepare('a', target, { tenantDeleted: true });
  expect(prepared.preview.conflicts).toMatchObject([
    { table: 'public.invoices', kind: 'unique-taken', rows: 1 },
  ]);
  expect(prepared.preview.conflicts[0]?.message).toContain('invoices_code_key');
  await prepared.end();
  await lab.live.query(`update invoices set code = 'other'`);
  expect((await lab.restore('a', target, { tenantDeleted: true })).preview.conflicts).toEqual([]);
});
