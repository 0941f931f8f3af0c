import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../database';
import { ACCOUNT, type CreatedOrganisation, createOrganisation } from './create-organisation';
import { integerBetween, type Random } from './random';

export interface LargeSeedOptions {
  readonly name: string;
  /** Rows wanted over all tables of the organisation, at least 1,000; met to within a few dozen. */
  readonly rows: number;
}

export interface LargeOrganisation extends CreatedOrganisation {
  readonly invoices: number;
  readonly rows: number;
}

/** An invoice, its 3 lines, its payment and allocation, 2 journal entries with 3 and 2 lines. */
const ROWS_PER_INVOICE = 13;
const CUSTOMERS = 200;
const USERS = 5;

/**
 * An organisation with up to millions of rows, for benchmarks: about 1,000,000 rows in 10 to 15 seconds.
 *
 * Triggers and foreign-key checks are off while it runs (replica role); the statements below keep the books in balance
 * and every key in place. The outbox gets no rows. Statistics are up to date afterwards.
 *
 * @param pool connects as a superuser, or as a role that may set session_replication_role.
 */
export async function seedLargeOrganisation(
  pool: Pool,
  options: LargeSeedOptions,
  random: Random,
): Promise<LargeOrganisation> {
  const seeded = await inTransaction(pool, async (tx) => {
    const organisation = await createOrganisation(
      tx,
      { name: options.name, plan: 'enterprise', users: USERS, customers: CUSTOMERS },
      random,
    );
    const base = await countBaseRows(tx, organisation.id);
    const invoices = Math.max(1, Math.round((options.rows - base) / ROWS_PER_INVOICE));
    // The foreign keys of the rows so far are checked now: replica role would not do it at commit.
    await tx.query('set constraints all immediate');
    await tx.query('set local session_replication_role = replica');
    await planInvoices(tx, organisation, invoices, integerBetween(random, 1, 1_000));
    for (const statement of FILL) await tx.query(statement, [organisation.id]);
    await tx.query(FILL_JOURNAL_LINES, [
      organisation.id,
      ACCOUNT.receivables,
      ACCOUNT.revenue,
      ACCOUNT.taxPayable,
      ACCOUNT.bank,
    ]);
    await tx.query('update counters set next_invoice_number = $2 where organisation_id = $1', [
      organisation.id,
      invoices + 1,
    ]);
    return { ...organisation, invoices, rows: base + invoices * ROWS_PER_INVOICE };
  });
  await pool.query(
    'analyze invoices, invoice_lines, payments, payment_allocations, journal_entries, journal_lines, customers',
  );
  return seeded;
}

/** Every generated row derives from this list, so that filling the tables needs no join. */
async function planInvoices(
  tx: ClientBase,
  organisation: CreatedOrganisation,
  invoices: number,
  salt: number,
): Promise<void> {
  await tx.query(`create temporary table planned_invoice (
    id bigint, number bigint, customer_id uuid, issued_on date, net numeric(14,2), tax numeric(14,2),
    quantities numeric[], prices numeric[], payment_id bigint, invoice_entry bigint, payment_entry bigint
  ) on commit drop`);
  await tx.query(
    `insert into planned_invoice
     select nextval(pg_get_serial_sequence('invoices', 'id')), n, ($2::uuid[])[1 + (n * $3) % cardinality($2::uuid[])],
       date '2026-01-01' + ((n * 364) / $1)::integer, l.net, round(l.net * 0.20, 2), l.quantities, l.prices,
       nextval(pg_get_serial_sequence('payments', 'id')), nextval('journal_entry_id'), nextval('journal_entry_id')
     from generate_series(1::bigint, $1::bigint) n
     cross join lateral (
       select array_agg(quantity order by k) as quantities, array_agg(price order by k) as prices,
         sum(round(quantity * price, 2)) as net
       from (select k, 1 + (n * 7 + k * $3) % 9 as quantity, (500 + (n * 31 + k * 17 * $3) % 20000) / 100.0 as price
             from generate_series(1, 3) k) line
     ) l`,
    [invoices, organisation.customerIds, salt],
  );
}

const FILL = [
  `insert into invoices (id, organisation_id, number, customer_id, status, currency, issued_on, due_on, service_period, net, tax)
   overriding system value
   select id, $1, number, customer_id, 'paid', 'EUR', issued_on, issued_on + 14, daterange(issued_on - 30, issued_on), net, tax
   from planned_invoice where $1::uuid is not null order by number`,
  `insert into invoice_lines (invoice_id, line_no, description, quantity, unit_price)
   select p.id, l.line_no, 'Item ' || l.line_no, l.quantity, l.price
   from planned_invoice p, unnest(p.quantities, p.prices) with ordinality l (quantity, price, line_no)
   where $1::uuid is not null`,
  `insert into payments (id, organisation_id, customer_id, received_on, amount, currency)
   select payment_id, $1, customer_id, issued_on + 1, net + tax, 'EUR' from planned_invoice`,
  `insert into payment_allocations (payment_id, invoice_id, amount)
   select payment_id, id, net + tax from planned_invoice where $1::uuid is not null`,
  `insert into journal_entries (organisation_id, booked_on, id, description, invoice_id, payment_id)
   select $1, e.booked_on, e.id, e.description, e.invoice_id, e.payment_id
   from planned_invoice p cross join lateral (values
     (p.issued_on, p.invoice_entry, 'Invoice ' || p.number, p.id, null),
     (p.issued_on + 1, p.payment_entry, 'Payment of invoice ' || p.number, null, p.payment_id)
   ) e (booked_on, id, description, invoice_id, payment_id)`,
];

const FILL_JOURNAL_LINES = `
insert into journal_lines (organisation_id, booked_on, entry_id, line_no, account_code, debit, credit)
select $1, l.booked_on, l.entry_id, l.line_no, l.account_code, l.debit, l.credit
from planned_invoice p cross join lateral (values
  (p.issued_on, p.invoice_entry, 1, $2::text, p.net + p.tax, 0),
  (p.issued_on, p.invoice_entry, 2, $3::text, 0, p.net),
  (p.issued_on, p.invoice_entry, 3, $4::text, 0, p.tax),
  (p.issued_on + 1, p.payment_entry, 1, $5::text, p.net + p.tax, 0),
  (p.issued_on + 1, p.payment_entry, 2, $2::text, 0, p.net + p.tax)
) l (booked_on, entry_id, line_no, account_code, debit, credit)`;

async function countBaseRows(tx: ClientBase, organisationId: string): Promise<number> {
  const { rows } = await tx.query<{ rows: number }>(
    `select (1 + (select count(*) from users where organisation_id = $1)
       + (select count(*) from customers where organisation_id = $1)
       + (select count(*) from accounts where organisation_id = $1)
       + (select count(*) from accounting_periods where organisation_id = $1)
       + (select count(*) from templates where organisation_id = $1)
       + (select count(*) from counters where organisation_id = $1)
       + (select count(*) from "tenantSettings" where "organisationId" = $1))::integer as rows`,
    [organisationId],
  );
  return rows[0]?.rows ?? 0;
}
