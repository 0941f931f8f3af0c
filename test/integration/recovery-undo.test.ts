import {
  accuBooksTenancy,
  deleteAllInvoices,
  installAccuBooks,
  overcharge,
  seededRandom,
  seedOrganisation,
} from '../../examples/accubooks';
import { type RealApplication, startApplication } from '../support/real-application';
import { imagesOf, SliceLab } from '../support/slice-lab';

let app: RealApplication;
let lab: SliceLab;
let seed = 100;

beforeAll(async () => {
  app = await startApplication({
    backup: false,
    schema: (superuser) => installAccuBooks(superuser),
    config: { tenancy: accuBooksTenancy },
  });
  lab = new SliceLab(app);
});
afterAll(() => app?.stop());

async function newOrganisation(name: string) {
  return seedOrganisation(app.superuser, { name, invoices: 12 }, seededRandom(++seed));
}

/** Every table that a restore may write, for one organisation. */
async function booksOf(organisation: string): Promise<string[]> {
  const own = [
    'invoices',
    'attachments',
    'journal_entries',
    'journal_lines',
    'payments',
    'users',
    'access_log',
    'accounts',
  ];
  const images = await Promise.all(
    own.map((table) =>
      imagesOf(app.superuser, `select '${table}', t.* from ${table} t where organisation_id = $1`, [
        organisation,
      ]),
    ),
  );
  const lines = await imagesOf(
    app.superuser,
    'select l.* from invoice_lines l join invoices i on i.id = l.invoice_id where i.organisation_id = $1',
    [organisation],
  );
  return [...images.flat(), ...lines];
}

test('20: an undo puts back exactly what the restore overwrote, and an undo of the undo restores again', async () => {
  const tenant = await newOrganisation('Undo');
  const other = await newOrganisation('Neighbour');
  const target = await lab.captureTarget();
  const atTarget = await booksOf(tenant.id);
  await overcharge(app.superuser, tenant.id);
  await app.superuser.query(
    `insert into access_log (organisation_id, user_id, at, action, address)
    select organisation_id, id, now(), 'export', '192.0.2.99' from users where organisation_id = $1 limit 1`,
    [tenant.id],
  );
  await app.superuser.query('delete from attachments where organisation_id = $1', [tenant.id]);
  const beforeRestore = await booksOf(tenant.id);
  const neighbour = await booksOf(other.id);

  const restored = await lab.restore(tenant.id, target);
  expect(await booksOf(tenant.id)).toEqual(atTarget);

  const undo = await lab.prepareUndo(tenant.id, restored.restoreId);
  expect(undo.preview.blocked).toBe(false);
  const { insert, update, delete: gone } = restored.preview.totals;
  expect(undo.preview.totals).toMatchObject({ insert: gone, update, delete: insert });
  expect(await undo.merge()).toMatchObject({ kind: 'merged' });
  await undo.end();
  expect(await booksOf(tenant.id)).toEqual(beforeRestore);

  const redo = await lab.prepareUndo(tenant.id, undo.restoreId);
  await redo.merge();
  await redo.end();
  expect(await booksOf(tenant.id)).toEqual(atTarget);
  expect(await booksOf(other.id)).toEqual(neighbour);
});

test('20: an undo leaves rows alone that the restore did not write', async () => {
  const tenant = await newOrganisation('Goes on');
  const target = await lab.captureTarget();
  await app.superuser.query(`update users set email = 'wrong-' || email where organisation_id = $1`, [
    tenant.id,
  ]);
  const restored = await lab.restore(tenant.id, target);
  await app.superuser.query(`update invoices set due_on = due_on + 1 where organisation_id = $1`, [
    tenant.id,
  ]);
  const invoices = await imagesOf(app.superuser, 'select * from invoices where organisation_id = $1', [
    tenant.id,
  ]);

  const undo = await lab.prepareUndo(tenant.id, restored.restoreId);
  await undo.merge();
  await undo.end();
  expect(
    await imagesOf(app.superuser, 'select * from invoices where organisation_id = $1', [tenant.id]),
  ).toEqual(invoices);
  const { rows } = await app.superuser.query<{ wrong: boolean }>(
    `select bool_and(email like 'wrong-%') as wrong from users where organisation_id = $1`,
    [tenant.id],
  );
  expect(rows[0]?.wrong).toBe(true);
});

test('20: a row changed since the restore is a conflict; skipping it keeps the newer row', async () => {
  const tenant = await newOrganisation('Changed since');
  const target = await lab.captureTarget();
  await app.superuser.query(`update users set email = 'wrong-' || email where organisation_id = $1`, [
    tenant.id,
  ]);
  const restored = await lab.restore(tenant.id, target);
  await app.superuser.query(`update users set email = 'newer@example.org' where id = $1`, [
    tenant.userIds[0],
  ]);

  const blocked = await lab.prepareUndo(tenant.id, restored.restoreId);
  expect(blocked.preview.conflicts).toEqual([
    expect.objectContaining({ table: 'public.users', kind: 'changed-since', rows: 1, decision: 'block' }),
  ]);
  await expect(blocked.merge()).rejects.toMatchObject({ code: 'RESTORE_CLOSED' });
  await blocked.end();

  const undo = await lab.prepareUndo(tenant.id, restored.restoreId, [
    { table: 'public.users', kind: 'changed-since', decision: 'skip' },
  ]);
  expect(undo.preview.blocked).toBe(false);
  await undo.merge();
  await undo.end();
  const { rows } = await app.superuser.query<{ email: string }>(
    'select email from users where organisation_id = $1 order by email',
    [tenant.id],
  );
  expect(rows.filter((row) => row.email.startsWith('wrong-'))).toHaveLength(tenant.userIds.length - 1);
  expect(rows.map((row) => row.email)).toContain('newer@example.org');
});

test('20: a crash of the server right after the restore takes nothing from the undo', async () => {
  const tenant = await newOrganisation('Crashed');
  const target = await lab.captureTarget();
  await overcharge(app.superuser, tenant.id);
  await app.superuser.query('delete from attachments where organisation_id = $1', [tenant.id]);
  const beforeRestore = await booksOf(tenant.id);
  const restored = await lab.restore(tenant.id, target);
  await lab.drop();

  await app.cluster.halt('immediate');
  await app.cluster.start();
  const { rows } = await app.superuser.query<{ persistence: string }>(
    `select distinct relpersistence as persistence from pg_class
     where relnamespace = 'chronawflow'::regnamespace and relkind = 'r' and starts_with(relname, $1)`,
    [`${restored.restoreId}_changes_`],
  );
  expect(rows).toEqual([{ persistence: 'p' }]);

  const undo = await lab.prepareUndo(tenant.id, restored.restoreId);
  await undo.merge();
  await undo.end();
  expect(await booksOf(tenant.id)).toEqual(beforeRestore);
});

test('20: pre-images past their retention cannot be undone', async () => {
  const tenant = await newOrganisation('Too late');
  const target = await lab.captureTarget();
  await deleteAllInvoices(app.superuser, tenant.id);
  const restored = await lab.restore(tenant.id, target);
  await app.application.query(
    `update chronawflow.restore set preimages_until = clock_timestamp() where id = $1`,
    [restored.restoreId],
  );
  await expect(lab.prepareUndo(tenant.id, restored.restoreId)).rejects.toMatchObject({
    code: 'NOT_UNDOABLE',
  });
});
