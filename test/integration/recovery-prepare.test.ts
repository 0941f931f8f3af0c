import { previewRestore } from '../../core/recovery/diff/preview';
import { prepareSlice } from '../../core/recovery/slice/prepare-slice';
import { stageSlice } from '../../core/recovery/slice/stage-slice';
import { imagesOf, type SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';

const SCHEMA = `create table notes (id int primary key, tenant_id text not null, body text);
create table marks (tenant_id text not null, mark text);
insert into notes select i, case when i <= 5 then 'a' else 'b' end, 'n' || i from generate_series(1, 8) i;
insert into marks values ('a', 'x'), ('a', 'x'), ('b', 'x');`;

const { twoTenants } = useSliceLabs();
let lab: SliceLab;
beforeEach(async () => {
  lab = await twoTenants(SCHEMA);
});

const REQUEST = { modes: { create: true, update: true, delete: true }, decisions: [], allowEmpty: false };
const contents = async () => [
  await imagesOf(lab.live, 'select * from notes'),
  await imagesOf(lab.live, 'select * from marks'),
];
const harm = () =>
  lab.live.query(
    `delete from notes where id = 1; update notes set body = 'other' where id = 2; delete from marks where tenant_id = 'a'`,
  );

test('a restore whose staging was prepared ahead is the same restore', async () => {
  const target = await lab.captureTarget();
  const atTarget = await contents();
  await harm();
  const { merge } = await lab.restore('a', target, { preparedAhead: true });
  expect(merge).toMatchObject({ kind: 'merged' });
  expect(await contents()).toEqual(atTarget);
});

test('a table that has changed its columns since the target is staged by what both sides have', async () => {
  const target = await lab.captureTarget();
  await harm();
  await lab.live.query(`alter table notes add column colour text default 'grey'`);
  const { merge } = await lab.restore('a', target, { preparedAhead: true });
  expect(merge).toMatchObject({ kind: 'merged' });
  expect(await imagesOf(lab.live, `select * from notes where id <= 2`)).toEqual([
    '(1,a,n1,grey)',
    '(2,a,n2,grey)',
  ]);
});

test('what is staged twice is there once, and a preparation that comes late leaves it alone', async () => {
  const target = await lab.captureTarget();
  await harm();
  const prepared = await lab.prepare('a', target, { preparedAhead: true });
  const { restoreId, preview } = prepared;
  const again = await stageSlice(lab.context, restoreId, target, {}, {});
  expect(again.rows).toBe(8);
  expect(await prepareSlice(lab.context, restoreId, {})).toEqual({ tables: 0 });
  const after = await previewRestore(lab.context, { restoreId, ...REQUEST }, target, {});
  expect(after.diffHash).toBe(preview.diffHash);
  expect(await prepared.merge()).toMatchObject({ kind: 'merged' });
  await prepared.end();
});
