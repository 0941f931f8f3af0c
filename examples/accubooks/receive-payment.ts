import type { ClientBase } from 'pg';
import { ACCOUNT } from './create-organisation';
import { postJournalEntry } from './journal';
import { toCents } from './money';

/**
 * Receives the full amount of the oldest invoice that is open and not being worked on.
 *
 * @param receivedOn ISO date; without it the day after the invoice was issued.
 * @returns the payment's id, or undefined when nothing is open.
 */
export async function receivePayment(
  tx: ClientBase,
  organisationId: string,
  receivedOn?: string,
): Promise<string | undefined> {
  const open = await tx.query<{ id: string; number: string; total: string; paid_on: string }>(
    `select id, number, total, to_char(coalesce($2::date, issued_on + 1), 'YYYY-MM-DD') as paid_on
     from invoices where organisation_id = $1 and status = 'posted'
     order by number limit 1 for update skip locked`,
    [organisationId, receivedOn ?? null],
  );
  const invoice = open.rows[0];
  if (invoice === undefined) return undefined;
  const { rows } = await tx.query<{ id: string }>(
    `with paid as (
       update invoices set status = 'paid' where id = $1 returning id, organisation_id, customer_id, currency, total
     ), payment as (
       insert into payments (organisation_id, customer_id, received_on, amount, currency, gateway_response)
       select organisation_id, customer_id, $2, total, currency,
         ('{"reference" : "INV-' || $3::text || '", "fee":0.50,  "ok":true}')::json
       from paid returning id
     )
     insert into payment_allocations (payment_id, invoice_id, amount)
     select payment.id, paid.id, paid.total from payment, paid
     returning payment_id as id`,
    [invoice.id, invoice.paid_on, invoice.number],
  );
  const paymentId = rows[0]?.id;
  const total = toCents(invoice.total);
  await postJournalEntry(tx, {
    organisationId,
    bookedOn: invoice.paid_on,
    description: `Payment of invoice ${invoice.number}`,
    paymentId,
    lines: [
      { account: ACCOUNT.bank, debit: total },
      { account: ACCOUNT.receivables, credit: total },
    ],
  });
  return paymentId;
}
