import type { Pool } from 'pg';
import {
  ACCUBOOKS_ROLE,
  AccountingWriter,
  installAccuBooks,
  loseOrganisation,
  type SeededOrganisation,
  seededRandom,
  seedOrganisation,
} from '../../examples/accubooks';
import { type RealPostgres, startPostgres } from './real-postgres';

/** For one test file: AccuBooks on a server of its own, without restores. */
export function useAccuBooks() {
  let server: RealPostgres;
  let admin: Pool;
  let app: Pool;
  let seeds = 100;

  beforeAll(async () => {
    // Short, so that a deadlock between a mishap and a writer is over soon.
    server = await startPostgres({ settings: { deadlock_timeout: '100ms' } });
    admin = await server.createDatabase('books');
    app = server.connect('books', ACCUBOOKS_ROLE);
    expect(await installAccuBooks(admin)).toBe('installed');
  });
  afterAll(() => server?.stop());

  const count = async (table: string, condition: string, ...values: unknown[]) =>
    Number((await admin.query(`select count(*) from ${table} where ${condition}`, values)).rows[0].count);

  return {
    count,
    seed: (name: string, invoices = 12) => {
      seeds += 1;
      return seedOrganisation(app, { name, invoices }, seededRandom(seeds));
    },
    tablesWithRows: async (organisation: SeededOrganisation) => ({
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
    }),
    /** With the templates that outlive their organisation, so that the same rows can come again. */
    loseForGood: async (organisation: SeededOrganisation) => {
      await app.query('delete from templates where organisation_id = $1', [organisation.id]);
      await loseOrganisation(app, organisation.id);
    },
    writerOf: (organisation: SeededOrganisation, ratePerSecond = 500) =>
      new AccountingWriter(app, {
        organisationId: organisation.id,
        random: seededRandom(7),
        ratePerSecond,
        backoffMs: 10,
      }),
    get server() {
      return server;
    },
    /** As a superuser. */
    get admin() {
      return admin;
    },
    get app() {
      return app;
    },
  };
}
