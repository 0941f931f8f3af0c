import type { Pool } from 'pg';
import { inTransaction } from '../../database';
import { loseOrganisation } from '../../examples/accubooks';

export type MishapKind = 'five-percent' | 'lost';

/** Harms the tenant, as the application would: with triggers, cascades and every check. */
export async function harm(pool: Pool, tenant: string, kind: MishapKind): Promise<void> {
  switch (kind) {
    case 'lost':
      await loseOrganisation(pool, tenant);
      return;
    case 'five-percent':
      await changeFivePercent(pool, tenant);
  }
}

/** Returns how many rows were changed, those that went by cascade not counted. */
export function changeFivePercent(pool: Pool, tenant: string): Promise<number> {
  return inTransaction(pool, async (tx) => {
    let rows = 0;
    for (const statement of STATEMENTS) rows += (await tx.query(statement, [tenant])).rowCount ?? 0;
    return rows;
  });
}

/**
 * Of 100 seeded invoices with their 1,300 rows: 35 rows updated, 10 deleted and 2 that lose their document, 15 inserted.
 * The journal stays in balance, because its triggers insist on it.
 */
const STATEMENTS = [
  `update invoices set due_on = due_on + 7, tags = array['dunning'] where organisation_id = $1 and number % 20 = 0`,
  `update invoice_lines l set unit_price = l.unit_price * 1.1 from invoices i
   where i.id = l.invoice_id and i.organisation_id = $1 and i.number % 20 = 0`,
  `update payments p set gateway_response = '{"status": "chargeback"}' from payment_allocations a, invoices i
   where a.payment_id = p.id and i.id = a.invoice_id and p.organisation_id = $1
     and i.organisation_id = $1 and i.number % 20 = 0`,
  `update journal_lines l set account_code = '3000' from journal_entries e, invoices i
   where l.organisation_id = $1 and l.booked_on = e.booked_on and l.entry_id = e.id and l.line_no <= 2
     and e.organisation_id = $1 and e.invoice_id = i.id and i.organisation_id = $1 and i.number % 20 = 0`,
  'delete from invoices where organisation_id = $1 and number % 100 in (1, 2)',
  `insert into invoice_lines (invoice_id, line_no, description, quantity, unit_price)
   select id, 99, 'Entered twice', 1, 10 from invoices where organisation_id = $1 and number % 100 in (3, 4, 5)`,
  `insert into payments (organisation_id, customer_id, received_on, amount, currency)
   select organisation_id, customer_id, issued_on, total, currency from invoices
   where organisation_id = $1 and number % 100 in (3, 4, 5)`,
  `with booked as (
     insert into journal_entries (organisation_id, booked_on, description)
     select organisation_id, issued_on, 'Booked twice' from invoices
     where organisation_id = $1 and number % 100 in (3, 4, 5)
     returning organisation_id, booked_on, id
   )
   insert into journal_lines (organisation_id, booked_on, entry_id, line_no, account_code, debit, credit)
   select organisation_id, booked_on, id, line_no, account_code, debit, credit
   from booked, (values (1, '1200', 10, 0), (2, '4010', 0, 10)) l (line_no, account_code, debit, credit)`,
];
