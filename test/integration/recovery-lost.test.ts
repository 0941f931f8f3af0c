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

  for (const { relation } of Object.values(await changesKept(restored.restoreId))) {
    const { rows } = await lab.live.query(
      `select relkind, relpersistence from pg_class where relname = $1 and relnamespace = 'chronawflow'::regnamespace`,
      [relation],
    );
    // One without changes has nothing to lose in a crash.
    expect(rows).toEqual([{ relkind: 'r', relpersistence: 'p' }]);
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
