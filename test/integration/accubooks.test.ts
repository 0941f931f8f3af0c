import type { Pool } from 'pg';
import { freezeTenant, removeGate } from '../../core/recovery/gate';
import { attributeTables, brokenPaths } from '../../core/recovery/slice/attribution.pure';
import { tableName } from '../../core/recovery/slice/catalog-types';
import { readCatalog } from '../../core/recovery/slice/read-catalog';
import { applyMigrations } from '../../database';
import {
  ACCUBOOKS_ROLE,
  AccountingWriter,
  accuBooksTenancy,
  deleteAllInvoices,
  findBookErrors,
  installAccuBooks,
  loseOrganisation,
  overcharge,
  receivePayment,
  type SeededOrganisation,
  seededRandom,
  seedLargeOrganisation,
  seedOrganisation,
  WriterFailedError,
  WriterTimeoutError,
} from '../../examples/accubooks';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

const LIMIT = 30_000;

describe('AccuBooks', () => {
  let server: RealPostgres;
  let admin: Pool;
  let app: Pool;
  let seeds = 100;

  const seed = (name: string, invoices = 12) => {
    seeds += 1;
    return seedOrganisation(app, { name, invoices }, seededRandom(seeds));
  };
  const count = async (table: string, condition: string, ...values: unknown[]) =>
    Number((await admin.query(`select count(*) from ${table} where ${condition}`, values)).rows[0].count);
  const tablesWithRows = async (organisation: SeededOrganisation) => ({
    invoices: await count('invoices', 'organisation_id = $1', organisation.id),
    lines: await count('invoice_lines', 'invoice_id = any ($1::bigint[])', organisation.invoiceIds),
    discounts: await count('line_discounts', 'invoice_id = any ($1::bigint[])', organisation.invoiceIds),
    allocations: await count(
      'payment_allocations',
      'invoice_id = any ($1::bigint[])',
      organisation.invoiceIds,
    ),
    attachments: await count('attachments', 'organisation_id = $1', organisation.id),
    payments: await count('payments', 'organisation_id = $1', organisation.id),
    entries: await count('journal_entries', 'organisation_id = $1', organisation.id),
    entriesOfInvoices: await count(
      'journal_entries',
      'organisation_id = $1 and invoice_id is not null',
      organisation.id,
    ),
    journalLines: await count('journal_lines', 'organisation_id = $1', organisation.id),
    templates: await count('templates', 'organisation_id = $1', organisation.id),
    users: await count('users', 'organisation_id = $1', organisation.id),
    settings: await count('"tenantSettings"', '"organisationId" = $1', organisation.id),
    accessLog: await count('access_log', 'organisation_id = $1', organisation.id),
  });
  /** With the templates that outlive their organisation, so that the same rows can come again. */
  const loseForGood = async (organisation: SeededOrganisation) => {
    await app.query('delete from templates where organisation_id = $1', [organisation.id]);
    await loseOrganisation(app, organisation.id);
  };
  const writerOf = (organisation: SeededOrganisation, ratePerSecond = 500) =>
    new AccountingWriter(app, {
      organisationId: organisation.id,
      random: seededRandom(7),
      ratePerSecond,
      backoffMs: 10,
    });

  beforeAll(async () => {
    // Short, so that a deadlock between a mishap and a writer is over soon.
    server = await startPostgres({ settings: { deadlock_timeout: '100ms' } });
    admin = await server.createDatabase('books');
    app = server.connect('books', ACCUBOOKS_ROLE);
    expect(await installAccuBooks(admin)).toBe('installed');
  });

  afterAll(async () => {
    await server?.stop();
  });

  describe('installed', () => {
    it('installs once and leaves an installed application alone', async () => {
      expect(await installAccuBooks(admin)).toBe('present');
    });

    it('belongs to a role that is no superuser', async () => {
      const { rows } = await admin.query(
        `select distinct r.rolname, r.rolsuper from pg_class c join pg_roles r on r.oid = c.relowner
         where c.relnamespace = 'public'::regnamespace`,
      );
      expect(rows).toEqual([{ rolname: ACCUBOOKS_ROLE, rolsuper: false }]);
    });

    it('has a tenancy configuration by which every table finds its tenant', async () => {
      const client = await admin.connect();
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
      const client = await admin.connect();
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
      expect(await findBookErrors(admin, organisation.id)).toEqual([]);
      const rows = await tablesWithRows(organisation);
      expect(Object.entries(rows).filter(([, n]) => n === 0)).toEqual([]);
      expect(rows.invoices).toBe(12);
    });

    it('repeats itself with the same random source', async () => {
      const seedTwin = () => seedOrganisation(app, { name: 'Twin' }, seededRandom(5));
      const sums = async (id: string) =>
        (
          await admin.query(
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
      const large = await seedLargeOrganisation(admin, { name: 'Large', rows: 5_000 }, seededRandom(9));
      expect(Math.abs(large.rows - 5_000)).toBeLessThan(13);
      expect(await findBookErrors(admin, large.id)).toEqual([]);
      expect(await count('invoices', 'organisation_id = $1', large.id)).toBe(large.invoices);
      expect(await orphans()).toEqual([]);
      const writer = writerOf({ ...large, invoiceIds: [], paymentIds: [] });
      writer.start();
      await writer.waitForCommits(20, LIMIT);
      await writer.stop();
      expect(await findBookErrors(admin, large.id)).toEqual([]);
    });

    /** Foreign keys with rows that point nowhere. */
    async function orphans(): Promise<string[]> {
      const { rows } = await admin.query<{ name: string; query: string }>(
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
        if (Number((await admin.query(query)).rows[0].count) > 0) broken.push(name);
      }
      return broken;
    }
  });

  describe('constraints', () => {
    let organisation: SeededOrganisation;

    beforeAll(async () => {
      organisation = await seed('Constrained');
    });

    const refused = (sql: string, ...values: unknown[]) =>
      app.query(sql, values).then(
        () => 'accepted',
        (error: { code?: string; constraint?: string }) => `${error.code} ${error.constraint ?? ''}`.trim(),
      );

    it('refuse a journal entry that does not balance', async () => {
      expect(
        await refused(
          `update journal_lines set debit = debit + 1 where organisation_id = $1 and debit > 0`,
          organisation.id,
        ),
      ).toBe('23514 journal_entries_balance');
      expect(
        await refused(
          `delete from journal_lines where organisation_id = $1 and line_no = 1`,
          organisation.id,
        ),
      ).toBe('23514 journal_entries_balance');
    });

    it('refuse a journal entry without lines', async () => {
      expect(
        await refused(
          `insert into journal_entries (organisation_id, booked_on, description) values ($1, '2026-02-03', 'empty')`,
          organisation.id,
        ),
      ).toBe('23514 journal_entries_balance');
    });

    it('refuse overlapping periods of one organisation, not of two', async () => {
      const insert = `insert into accounting_periods (organisation_id, days) values ($1, $2)`;
      expect(await refused(insert, organisation.id, '[2026-06-01,2026-07-01)')).toBe(
        '23P01 accounting_periods_overlap',
      );
      expect(await refused(insert, organisation.id, '[2027-01-01,2028-01-01)')).toBe('accepted');
    });

    it('let one transaction move the border between two periods', async () => {
      expect(
        await refused(
          `update accounting_periods set days = case when lower(days) = '2026-01-01'
             then daterange('2026-02-01', upper(days)) else daterange(lower(days), '2026-02-01') end
           where organisation_id = $1 and upper(days) <= '2027-01-01'`,
          organisation.id,
        ),
      ).toBe('accepted');
    });

    it('refuse an invoice number twice, a negative price, an invoice line of nobody', async () => {
      expect(
        await refused(
          `update invoices set number = 2 where organisation_id = $1 and number = 1`,
          organisation.id,
        ),
      ).toBe('23505 invoices_organisation_id_number_key');
      expect(await refused(`update invoices set net = -1 where organisation_id = $1`, organisation.id)).toBe(
        '23514 amount_check',
      );
      expect(
        await refused(
          `insert into invoice_lines (invoice_id, line_no, description, quantity, unit_price) values (0, 1, 'x', 1, 1)`,
        ),
      ).toBe('23503 invoice_lines_invoice_id_fkey');
    });

    it('refuse one e-mail address in two organisations, whatever its case', async () => {
      const other = await seed('Other');
      expect(
        await refused(
          `update users set email = (select upper(email) from users where id = $1) where id = $2`,
          organisation.userIds[0],
          other.userIds[0],
        ),
      ).toBe('23505 users_sign_in');
    });

    it('refuse a VAT number twice among customers that are not archived', async () => {
      const [first, second] = organisation.customerIds;
      const copy = `update customers set vat_number = (select vat_number from customers where id = $1) where id = $2`;
      expect(await refused(copy, first, second)).toBe('23505 customers_vat_number');
      expect(await refused('update customers set archived_at = now() where id = $1', first)).toBe('accepted');
      expect(await refused(copy, first, second)).toBe('accepted');
    });

    it('refuse an attachment beyond the quota of the plan', async () => {
      expect(
        await refused(
          `insert into attachments (organisation_id, content) values ($1, decode(repeat('00', 1048577), 'hex'))`,
          organisation.id,
        ),
      ).toBe('23514 attachments_quota');
    });

    it('refuse an account whose parent is missing, and let one statement swap two positions', async () => {
      expect(
        await refused(`update accounts set parent_code = '9999' where organisation_id = $1`, organisation.id),
      ).toBe('23503 accounts_organisation_id_parent_code_fkey');
      expect(
        await refused(
          `update accounts set position = 3 - position where organisation_id = $1 and position in (1, 2)`,
          organisation.id,
        ),
      ).toBe('accepted');
    });

    it('keep an invoice whose approver leaves', async () => {
      const approved = `organisation_id = $1 and approved_by is not null`;
      expect(await count('invoices', approved, organisation.id)).toBeGreaterThan(0);
      expect(await refused('delete from users where id = $1', organisation.userIds[0])).toBe('accepted');
      expect(await count('invoices', approved, organisation.id)).toBe(0);
    });

    it('write the outbox and the time of change by triggers', async () => {
      const [invoiceId] = organisation.invoiceIds;
      await app.query(`update invoices set tags = '{seen}' where id = $1`, [invoiceId]);
      expect(await count('invoices', 'id = $1 and updated_at > created_at', invoiceId)).toBe(1);
      expect(
        await count('outbox', `topic = 'invoice.update' and payload ->> 'id' = $1::text`, invoiceId),
      ).toBeGreaterThan(0);
    });
  });

  describe('mishaps', () => {
    it('deleting all invoices takes lines, allocations and attachments along and leaves payments and journal', async () => {
      const organisation = await seed('Deleted');
      const neighbour = await seed('Neighbour');
      const before = await tablesWithRows(organisation);
      const untouched = await tablesWithRows(neighbour);
      const mishap = await deleteAllInvoices(app, organisation.id);
      expect(mishap.rows).toBe(12);
      expect(await tablesWithRows(organisation)).toEqual({
        ...before,
        invoices: 0,
        lines: 0,
        discounts: 0,
        allocations: 0,
        attachments: 0,
        entriesOfInvoices: 0,
      });
      expect(await tablesWithRows(neighbour)).toEqual(untouched);
      expect(await findBookErrors(admin, organisation.id)).toEqual([
        { kind: 'invoice-number-missing', count: 12 },
      ]);
      expect(
        await count('outbox', `topic = 'invoice.delete' and organisation_id = $1`, organisation.id),
      ).toBe(12);
    });

    it('overcharging makes every invoice differ from its lines', async () => {
      const organisation = await seed('Overcharged');
      const { lines } = await tablesWithRows(organisation);
      expect((await overcharge(app, organisation.id)).rows).toBe(lines);
      expect(await findBookErrors(admin, organisation.id)).toEqual([
        { kind: 'invoice-sum-wrong', count: 12 },
      ]);
    });

    it('losing the organisation takes all its rows and leaves its templates to everybody', async () => {
      const organisation = await seed('Lost');
      const orphaned = 'organisation_id is null';
      const before = await count('templates', orphaned);
      expect((await loseOrganisation(app, organisation.id)).rows).toBe(1);
      expect(Object.values(await tablesWithRows(organisation)).every((n) => n === 0)).toBe(true);
      expect(await count('templates', orphaned)).toBe(before + 1);
      expect(await count('outbox', 'organisation_id = $1', organisation.id)).toBeGreaterThan(0);
    });
  });

  describe('the writer', () => {
    it('writes until it is stopped, and leaves books in order', async () => {
      const organisation = await seed('Busy');
      const writer = writerOf(organisation);
      writer.start();
      await writer.waitForCommits(100, LIMIT);
      const stats = await writer.stop();
      expect(stats.committed).toBeGreaterThanOrEqual(100);
      expect(stats.longestStallMs).toBeGreaterThan(0);
      expect(await findBookErrors(admin, organisation.id)).toEqual([]);
      const rows = await tablesWithRows(organisation);
      expect(rows.invoices).toBeGreaterThan(12);
      expect(await writer.stop()).toEqual(stats);
      expect(await tablesWithRows(organisation)).toEqual(rows);
    });

    it('keeps to its rate', async () => {
      const writer = writerOf(await seed('Slow'), 20);
      const startedAt = performance.now();
      writer.start();
      await writer.waitForCommits(11, LIMIT);
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(10 * 50 * 0.9);
      await writer.stop();
    });

    it('backs off while its tenant is frozen, goes on afterwards, and leaves its neighbours alone', async () => {
      const [organisation, neighbour] = [await seed('Frozen'), await seed('Beside it')];
      const [writer, beside] = [writerOf(organisation), writerOf(neighbour)];
      await applyMigrations(admin, 'application');
      await admin.query(
        `insert into chronawflow.restore (id, kind, tenant, workflow_id, state)
         values ('freeze-test', 'restore', $1, 'none', 'active')`,
        [organisation.id],
      );
      const limits = { lockTimeoutMs: 500, attempts: 20 };
      const tables = ['counters', 'invoices', 'access_log', 'customers', 'attachments', 'journal_lines'].map(
        (name) => ({
          schema: 'public',
          name,
          condition: { kind: 'column', column: 'organisation_id', type: 'uuid' } as const,
        }),
      );
      writer.start();
      beside.start();
      await Promise.all([writer.waitForCommits(5, LIMIT), beside.waitForCommits(5, LIMIT)]);
      await freezeTenant(
        admin,
        { restoreId: 'freeze-test', tenant: organisation.id, untilMs: LIMIT, tables, ...limits },
        {},
      );
      const invoices = (await tablesWithRows(organisation)).invoices;
      const frozen = await writer.waitUntil((stats) => stats.refused >= 5, LIMIT);
      await beside.waitForCommits(20, LIMIT);
      expect((await tablesWithRows(organisation)).invoices).toBe(invoices);
      expect(await removeGate(admin, 'freeze-test', limits)).toEqual({ removed: true });
      const after = await writer.waitForCommits(5, LIMIT);
      await writer.stop();
      expect(after.committed).toBeGreaterThan(frozen.committed);
      expect((await beside.stop()).refused).toBe(0);
      expect(await findBookErrors(admin, organisation.id)).toEqual([]);
    });

    it('counts a write that hangs on a lock as a stall while it hangs', async () => {
      const organisation = await seed('Blocked');
      const writer = new AccountingWriter(app, {
        organisationId: organisation.id,
        random: seededRandom(3),
        ratePerSecond: 500,
        work: [
          {
            name: 'count-up',
            weight: 1,
            run: async (tx) => {
              await tx.query(
                'update counters set next_invoice_number = next_invoice_number + 1 where organisation_id = $1',
                [organisation.id],
              );
            },
          },
        ],
      });
      const blocker = await admin.connect();
      try {
        await blocker.query('begin');
        await blocker.query('select from counters where organisation_id = $1 for update', [organisation.id]);
        writer.start();
        await expect(writer.waitForCommits(1, 200)).rejects.toThrow(WriterTimeoutError);
        expect(writer.stats().longestStallMs).toBeGreaterThanOrEqual(180);
      } finally {
        await blocker.query('rollback');
        blocker.release();
      }
      await writer.waitForCommits(1, LIMIT);
      expect((await writer.stop()).longestStallMs).toBeGreaterThanOrEqual(180);
    });

    it('waits for a lost organisation and goes on when it is back', async () => {
      const organisation = await seedOrganisation(app, { name: 'Back again' }, seededRandom(77));
      const writer = writerOf(organisation);
      writer.start();
      await writer.waitForCommits(5, LIMIT);
      await loseForGood(organisation);
      await writer.waitUntil((stats) => stats.gone >= 3, LIMIT);
      await seedOrganisation(app, { name: 'Back again' }, seededRandom(77));
      await writer.waitForCommits(5, LIMIT);
      await writer.stop();
    });

    it('ends with the error that no retry mends', async () => {
      const organisation = await seed('Broken');
      const writer = new AccountingWriter(app, {
        organisationId: organisation.id,
        random: seededRandom(1),
        work: [
          {
            name: 'mistype',
            weight: 1,
            run: async (tx) => {
              await tx.query('select from no_such_table');
            },
          },
        ],
      });
      writer.start();
      await expect(writer.waitForCommits(1, LIMIT)).rejects.toThrow(WriterFailedError);
      await expect(writer.stop()).rejects.toThrow('no_such_table');
    });

    it('reconnects to a server that was away', async () => {
      const organisation = await seed('Restarted');
      const writer = writerOf(organisation);
      writer.start();
      await writer.waitForCommits(5, LIMIT);
      await server.halt();
      await writer.waitUntil((stats) => stats.disconnected >= 2, LIMIT);
      await server.start();
      await writer.waitForCommits(20, LIMIT);
      await writer.stop();
      expect(await findBookErrors(admin, organisation.id)).toEqual([]);
    });
  });

  it('receives no payment where nothing is open', async () => {
    const organisation = await seedOrganisation(
      app,
      { name: 'All paid', invoices: 2, paid: 2 },
      seededRandom(55),
    );
    const client = await app.connect();
    try {
      expect(await receivePayment(client, organisation.id)).toBeUndefined();
    } finally {
      client.release();
    }
  });
});
