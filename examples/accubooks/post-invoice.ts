import type { ClientBase } from 'pg';
import { ACCOUNT } from './create-organisation';
import { postJournalEntry } from './journal';
import { type Cents, toNumeric } from './money';
import { OrganisationGoneError } from './organisation-gone-error';
import { integerBetween, pick, type Random } from './random';
import { STANDARD_TAX_PERCENT } from './tax-rates';

export interface InvoiceLine {
  readonly description: string;
  /** Whole units. */
  readonly quantity: number;
  readonly unitPrice: Cents;
}

export interface InvoiceOrder {
  readonly organisationId: string;
  readonly customerId: string;
  /** ISO date. */
  readonly issuedOn: string;
  readonly approvedBy?: string;
  /** From `TaxRates`; the standard rate by default. */
  readonly taxPercent?: number;
  readonly lines: readonly InvoiceLine[];
}

export interface PostedInvoice {
  readonly id: string;
  readonly number: string;
}

const DUE_DAYS = 14;

/** Takes the next number, writes the invoice with its lines and books it. All in the caller's transaction. */
export async function postInvoice(tx: ClientBase, order: InvoiceOrder): Promise<PostedInvoice> {
  const number = await takeInvoiceNumber(tx, order.organisationId);
  const net = order.lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  const tax = Math.round((net * (order.taxPercent ?? STANDARD_TAX_PERCENT)) / 100);
  const { rows } = await tx.query<{ id: string }>(
    `insert into invoices (organisation_id, number, customer_id, status, currency, issued_on, due_on, service_period,
       net, tax, tags, approved_by)
     select o.id, $2, $3, 'posted', o.currency, $4::date, $4::date + $5::integer,
       daterange($4::date - 30, $4::date), $6, $7, $8, $9
     from organisations o where o.id = $1
     returning id`,
    [
      order.organisationId,
      number,
      order.customerId,
      order.issuedOn,
      DUE_DAYS,
      toNumeric(net),
      toNumeric(tax),
      net > 100_000 ? ['large'] : [],
      order.approvedBy ?? null,
    ],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new OrganisationGoneError(order.organisationId);
  await tx.query(
    `insert into invoice_lines (invoice_id, line_no, description, quantity, unit_price)
     select $1, l.line_no, l.description, l.quantity, l.price
     from unnest($2::text[], $3::numeric[], $4::numeric[]) with ordinality l (description, quantity, price, line_no)`,
    [
      id,
      order.lines.map((line) => line.description),
      order.lines.map((line) => line.quantity),
      order.lines.map((line) => toNumeric(line.unitPrice)),
    ],
  );
  await postJournalEntry(tx, {
    organisationId: order.organisationId,
    bookedOn: order.issuedOn,
    description: `Invoice ${number}`,
    invoiceId: id,
    lines: [
      { account: ACCOUNT.receivables, debit: net + tax },
      { account: ACCOUNT.revenue, credit: net },
      { account: ACCOUNT.taxPayable, credit: tax },
    ],
  });
  return { id, number };
}

/** The counter's row stays locked until commit: that is what makes the numbers gap-free. */
async function takeInvoiceNumber(tx: ClientBase, organisationId: string): Promise<string> {
  const { rows } = await tx.query<{ number: string }>(
    `update counters set next_invoice_number = next_invoice_number + 1
     where organisation_id = $1 returning next_invoice_number - 1 as number`,
    [organisationId],
  );
  const number = rows[0]?.number;
  if (number === undefined) throw new OrganisationGoneError(organisationId);
  return number;
}

export function randomInvoiceLines(random: Random): InvoiceLine[] {
  return Array.from({ length: integerBetween(random, 1, 4) }, () => ({
    description: pick(random, ['Consulting', 'Hosting', 'Licence', 'Support', 'Training']),
    quantity: integerBetween(random, 1, 10),
    unitPrice: integerBetween(random, 500, 25_000),
  }));
}
