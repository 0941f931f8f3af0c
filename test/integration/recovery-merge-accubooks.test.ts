import type { Pool } from 'pg';
import {
  accuBooksTenancy,
  type BookError,
  deleteAllInvoices,
  findBookErrors,
  installAccuBooks,
  loseOrganisation,
  type Mishap,
  overcharge,
  type SeededOrganisation,
  seededRandom,
  seedOrganisation,
} from '../../examples/accubooks';
import { type RealApplication, startApplication } from '../support/real-application';
import { imagesOf, SliceLab } from '../support/slice-lab';

let app: RealApplication;
let lab: SliceLab;
let tenant: SeededOrganisation;
let seed = 500;

beforeAll(async () => {
  app = await startApplication({
    backup: false,
    schema: (superuser) => installAccuBooks(superuser),
    config: { tenancy: accuBooksTenancy },
  });
  lab = new SliceLab(app);
  for (const name of ['First neighbour', 'Second neighbour'])
    await seedOrganisation(app.superuser, { name, invoices: 8 }, seededRandom(++seed));
});
beforeEach(async () => {
  tenant = await seedOrganisation(app.superuser, { name: 'To restore', invoices: 15 }, seededRandom(++seed));
});
afterEach(() => lab.drop());
afterAll(() => app?.stop());

/** Which rows of each table are the organisation's ($1). Templates without owner are found by their ID: see `books`. */
const OWNED: Readonly<Record<string, string>> = {
  organisations: 't.id = $1',
  users: 't.organisation_id = $1',
  '"tenantSettings"': 't."organisationId" = $1',
  templates: 't.organisation_id = $1',
  customers: 't.organisation_id = $1',
  invoices: 't.organisation_id = $1',
  invoice_lines: 'exists (select from invoices i where i.id = t.invoice_id and i.organisation_id = $1)',
  line_discounts: 'exists (select from invoices i where i.id = t.invoice_id and i.organisation_id = $1)',
  payments: 't.organisation_id = $1',
  payment_allocations: 'exists (select from payments p where p.id = t.payment_id and p.organisation_id = $1)',
  accounts: 't.organisation_id = $1',
  accounting_periods: 't.organisation_id = $1',
  journal_entries: 't.organisation_id = $1',
  journal_lines: 't.organisation_id = $1',
  attachments: 't.organisation_id = $1',
  access_log: 't.organisation_id = $1',
};
const FORWARD = { counters: 't.organisation_id = $1' };
const NOT_RESTORED = ['outbox', 'currencies'];

type Books = Readonly<Record<string, readonly string[]>>;

/** Rows of every restored table that are the organisation's, or with `whose` 'other' all rows that are not. */
async function books(pool: Pool, whose: 'own' | 'other', organisation = tenant.id): Promise<Books> {
  const found: Record<string, string[]> = {};
  for (const [table, owned] of Object.entries({ ...OWNED, ...(whose === 'other' ? FORWARD : {}) }))
    found[table] = await imagesOf(
      pool,
      `select t.* from ${table} t where (${owned}) is ${whose === 'own' ? '' : 'not '}true`,
      [organisation],
    );
  for (const table of whose === 'other' ? NOT_RESTORED : [])
    found[table] = await imagesOf(pool, `select t.* from ${table} t`);
  return found;
}

async function bookErrors(): Promise<BookError[]> {
  return findBookErrors(app.superuser, tenant.id);
}

const counts = (books: Books) => Object.values(books).reduce((sum, rows) => sum + rows.length, 0);

test('every table of AccuBooks is looked at by these tests', async () => {
  const { rows } = await app.superuser.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  const known = [...Object.keys(OWNED), ...Object.keys(FORWARD), ...NOT_RESTORED];
  expect(rows.map((row) => row.name).sort()).toEqual(known.sort());
});

const mishaps: readonly {
  readonly name: string;
  readonly mishap: (pool: Pool, organisation: string) => Promise<Mishap>;
  readonly deleted: boolean;
}[] = [
  { name: 'all invoices deleted', mishap: deleteAllInvoices, deleted: false },
  { name: 'every price raised', mishap: overcharge, deleted: false },
  { name: 'the organisation lost', mishap: loseOrganisation, deleted: true },
];

describe.each(mishaps)('19: $name', ({ mishap, deleted }) => {
  test('comes back byte by byte, the others stay, the digests agree, a second restore has nothing to do', async () => {
    const target = await lab.captureTarget();
    const atTarget = await books(target, 'own');
    expect(await books(app.superuser, 'own')).toEqual(atTarget);
    await mishap(app.superuser, tenant.id);
    await app.superuser.query(`insert into access_log (organisation_id, action)
      select id, 'later' from organisations where name = 'First neighbour'`);
    const others = await books(app.superuser, 'other');
    const own = await books(app.superuser, 'own');
    expect(own).not.toEqual(atTarget);

    const { preview, merge } = await lab.restore(tenant.id, target, { tenantDeleted: deleted });

    expect(await books(app.superuser, 'own')).toEqual(atTarget);
    // Templates that lost their owner were among the others' rows for a while.
    const orphans = new Set(atTarget.templates?.map((row) => row.split(',')[0]));
    const expected = {
      ...others,
      templates: others.templates?.filter((row) => !orphans.has(row.split(',')[0])),
      counters: others.counters,
    };
    expect(await books(app.superuser, 'other')).toEqual(expected);
    expect(merge).toMatchObject({
      kind: 'merged',
      digestBefore: preview.digestNow,
      digestAfter: preview.digestExpected,
    });
    if (merge.kind !== 'merged') throw new Error('not merged');
    for (const table of preview.tables) {
      expect(merge.rows).toContainEqual({
        table: table.table,
        inserted: table.insert,
        updated: table.update,
        deleted: table.delete,
      });
    }
    // 3: what the freeze costs others is said for each table that is reached by a path, however little it is.
    const costs = preview.notices.filter((notice) =>
      /by any tenant, costs (less than )?\d+ µs more$/.test(notice),
    );
    for (const table of ['public.invoice_lines', 'public.payment_allocations', 'public.line_discounts'])
      expect({ table, said: costs.some((notice) => notice.includes(table)) }).toEqual({ table, said: true });
    const { insert, update, unchanged } = preview.totals;
    const counters = 1;
    expect(insert + update + unchanged).toBe(counts(atTarget) + counters);

    const again = await lab.restore(tenant.id, target);
    expect(again.preview.totals).toEqual({
      insert: 0,
      update: 0,
      delete: 0,
      unchanged: counts(atTarget) + counters,
    });
    expect(again.preview.digestNow).toBe(merge.digestAfter);
    expect(await bookErrors()).toEqual([]);
  });
});

test('19: work done since the target goes, its outbox events and its invoice numbers do not', async () => {
  const target = await lab.captureTarget();
  const atTarget = await books(target, 'own');
  await app.superuser.query(
    `insert into users (organisation_id, email, display_name) values ($1, 'new@example.org', 'New')`,
    [tenant.id],
  );
  await app.superuser.query(
    `insert into access_log (organisation_id, action) select $1, 'late' from generate_series(1, 3)`,
    [tenant.id],
  );
  await app.superuser.query(
    'update counters set next_invoice_number = next_invoice_number + 5 where organisation_id = $1',
    [tenant.id],
  );
  await app.superuser.query(`update invoices set status = 'void' where organisation_id = $1 and number = 1`, [
    tenant.id,
  ]);
  await app.superuser.query(`delete from "tenantSettings" where "organisationId" = $1`, [tenant.id]);
  const others = await books(app.superuser, 'other');
  const { preview } = await lab.restore(tenant.id, target);
  expect(preview.conflicts).toEqual([]);
  expect(await books(app.superuser, 'own')).toEqual(atTarget);
  // The counter is among the others' in `books`: it only moves forward.
  expect(await books(app.superuser, 'other')).toEqual(others);
});

test('an organisation that was not there at the target goes as a whole, when that is allowed', async () => {
  const target = await lab.captureTarget();
  const late = await seedOrganisation(app.superuser, { name: 'Late', invoices: 3 }, seededRandom(++seed));
  await expect(lab.prepare(late.id, target)).rejects.toMatchObject({ code: 'TENANT_ABSENT_AT_TARGET' });
  const others = await books(app.superuser, 'other', late.id);
  const { preview } = await lab.restore(late.id, target, { allowEmpty: true });
  expect(preview.conflicts).toEqual([]);
  expect(counts(await books(app.superuser, 'own', late.id))).toBe(0);
  const { counters = [], ...rest } = await books(app.superuser, 'other', late.id);
  const { counters: countersBefore = [], ...restBefore } = others;
  expect(rest).toEqual(restBefore);
  expect(counters).toEqual(countersBefore.filter((row) => !row.includes(late.id)));
});

test('two organisations at once are both restored', async () => {
  const other = await seedOrganisation(
    app.superuser,
    { name: 'At once', invoices: 10 },
    seededRandom(++seed),
  );
  const target = await lab.captureTarget();
  const atTarget = [await books(target, 'own'), await books(target, 'own', other.id)];
  await deleteAllInvoices(app.superuser, tenant.id);
  await overcharge(app.superuser, other.id);
  const first = await lab.prepare(tenant.id, target);
  const second = await lab.prepare(other.id, target);
  const merged = await Promise.all([first.merge(), second.merge()]);
  await Promise.all([first.end(), second.end()]);
  expect(merged).toMatchObject([{ kind: 'merged' }, { kind: 'merged' }]);
  expect([await books(app.superuser, 'own'), await books(app.superuser, 'own', other.id)]).toEqual(atTarget);
});

test('a second restore of the same organisation is refused and names the one that runs', async () => {
  const target = await lab.captureTarget();
  const running = await lab.prepare(tenant.id, target);
  await expect(lab.prepare(tenant.id.toUpperCase(), target)).rejects.toMatchObject({
    code: 'RESTORE_IN_PROGRESS',
    message: expect.stringContaining(`restore/${tenant.id}/${running.restoreId}`),
  });
  await running.end();
  const next = await lab.prepare(tenant.id, target);
  await next.end();
});
