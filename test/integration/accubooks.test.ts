import { attributeTables, brokenPaths } from '../../core/recovery/slice/attribution.pure';
import { tableName } from '../../core/recovery/slice/catalog-types';
import { readCatalog } from '../../core/recovery/slice/read-catalog';
import {
  ACCUBOOKS_ROLE,
  accuBooksTenancy,
  findBookErrors,
  installAccuBooks,
  receivePayment,
  seededRandom,
  seedLargeOrganisation,
  seedOrganisation,
} from '../../examples/accubooks';
import { useAccuBooks } from '../support/accubooks-lab';

const LIMIT = 100_000;

const at = useAccuBooks();
const { seed, count, tablesWithRows, loseForGood, writerOf } = at;

describe('installed', () => {
  it('installs once and leaves an installed application alone', async () => {
    expect(await installAccuBooks(at.admin)).toBe('present');
  });

  it('belongs to a role that is no superuser', async () => {
    const { rows } = await at.admin.query(
      `select distinct r.rolname, r.rolsuper from pg_class c join pg_roles r on r.oid = c.relowner
       where c.relnamespace = 'public'::regnamespace`,
    );
    expect(rows).toEqual([{ rolname: ACCUBOOKS_ROLE, rolsuper: false }]);
  });

  it('has a tenancy configuration by which every table finds its tenant', async () => {
    const client = await at.admin.connect();
    try {
      const attribution = attributeTables(
        await readCatalog(client, accuBooksTenancy.schemas),
        accuBooksTenancy,
      );
      expect(attribution.problems).toEqual([]);
      expect(brokenPaths(attribution)).toEqual([]);
      expect(attribution.shared.map(tableName)).toEqual(['public.currencies']);
      expect(attribution.keep.map(tableName)).toEqual(['public.outbox']);
      expect(
        attribution.slice
          .filter((one) => one.attribution.kind === 'path')
          .map((one) => [tableName(one.table), one.depth]),
      ).toEqual([
        ['public.invoice_lines', 1],
        ['public.payment_allocations', 1],
        ['public.line_discounts', 2],
      ]);
      expect(attribution.slice).toHaveLength(17);
    } finally {
      client.release();
    }
  });

  it('needs the path of payment_allocations to be named', async () => {
    const client = await at.admin.connect();
    try {
      const { 'public.payment_allocations': _, ...overrides } = accuBooksTenancy.overrides;
      const { problems } = attributeTables(await readCatalog(client, accuBooksTenancy.schemas), {
        ...accuBooksTenancy,
        overrides,
      });
      expect(problems.map((problem) => problem.table)).toEqual(['public.payment_allocations']);
    } finally {
      client.release();
    }
  });
});

describe('seeded', () => {
  it('has books in order and a row in every table of an organisation', async () => {
    const organisation = await seed('In order');
    expect(await findBookErrors(at.admin, organisation.id)).toEqual([]);
    const rows = await tablesWithRows(organisation);
    expect(Object.entries(rows).filter(([, n]) => n === 0)).toEqual([]);
    expect(rows.invoices).toBe(12);
  });

  it('repeats itself with the same random source', async () => {
    const seedTwin = () => seedOrganisation(at.app, { name: 'Twin' }, seededRandom(5));
    const sums = async (id: string) =>
      (
        await at.admin.query(
          `select i.number, i.customer_id, i.issued_on, i.total, count(*) as lines
           from invoices i join invoice_lines l on l.invoice_id = i.id where i.organisation_id = $1
           group by i.id order by i.number`,
          [id],
        )
      ).rows;
    const first = await seedTwin();
    const before = await sums(first.id);
    await loseForGood(first);
    const second = await seedTwin();
    expect(second.id).toBe(first.id);
    expect(await sums(second.id)).toEqual(before);
  });

  it('makes a large organisation in bulk with every constraint kept', async () => {
    const large = await seedLargeOrganisation(at.admin, { name: 'Large', rows: 5_000 }, seededRandom(9));
    expect(Math.abs(large.rows - 5_000)).toBeLessThan(13);
    expect(await findBookErrors(at.admin, large.id)).toEqual([]);
    expect(await count('invoices', 'organisation_id = $1', large.id)).toBe(large.invoices);
    expect(await orphans()).toEqual([]);
    const writer = writerOf({ ...large, invoiceIds: [], paymentIds: [] });
    writer.start();
    await writer.waitForCommits(20, LIMIT);
    await writer.stop();
    expect(await findBookErrors(at.admin, large.id)).toEqual([]);
  });

  /** Foreign keys with rows that point nowhere. */
  async function orphans(): Promise<string[]> {
    const { rows } = await at.admin.query<{ name: string; query: string }>(
      `select k.conname as name, format('select count(*) from %s c where (%s) is not null and not exists (select from %s p where (%s) = (%s))',
         k.conrelid::regclass, child.list, k.confrelid::regclass, parent.list, child.list) as query
       from pg_constraint k
       cross join lateral (select 'row(' || string_agg(format('c.%I', a.attname), ', ' order by u.n) || ')' as list
         from unnest(k.conkey) with ordinality u (attnum, n) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum) child
       cross join lateral (select 'row(' || string_agg(format('p.%I', a.attname), ', ' order by u.n) || ')' as list
         from unnest(k.confkey) with ordinality u (attnum, n) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum) parent
       where k.contype = 'f' and k.conparentid = 0 and k.connamespace = 'public'::regnamespace`,
    );
    expect(rows.length).toBeGreaterThan(20);
    const broken: string[] = [];
    for (const { name, query } of rows) {
      if (Number((await at.admin.query(query)).rows[0].count) > 0) broken.push(name);
    }
    return broken;
  }
});

it('receives no payment where nothing is open', async () => {
  const organisation = await seedOrganisation(
    at.app,
    { name: 'All paid', invoices: 2, paid: 2 },
    seededRandom(55),
  );
  const client = await at.app.connect();
  try {
    expect(await receivePayment(client, organisation.id)).toBeUndefined();
  } finally {
    client.release();
  }
});
