/**
 * What belongs to one organisation, as somebody who knows AccuBooks writes it down. Shared by the hand-written restore
 * and by the check after each round; nothing of it comes from Chronawflow.
 */
export interface SliceTable {
  /** As SQL writes it. */
  readonly name: string;
  /** Condition on the rows, with `:'tenant'` for the organisation's ID. */
  readonly where: string;
  /** Columns to copy; only needed where generated ones have to be left out. */
  readonly columns?: string;
}

const OWN = `organisation_id = :'tenant'`;
const INVOICES = `(select id from invoices where ${OWN})`;
const PAYMENTS = `(select id from payments where ${OWN})`;

/** Parents first. `outbox` is never rolled back; `templates` are apart, because they outlive their organisation. */
export const SLICE: readonly SliceTable[] = [
  { name: 'organisations', where: `id = :'tenant'` },
  { name: 'users', where: OWN },
  { name: '"tenantSettings"', where: `"organisationId" = :'tenant'` },
  { name: 'counters', where: OWN },
  { name: 'accounts', where: OWN },
  { name: 'accounting_periods', where: OWN },
  { name: 'customers', where: OWN },
  {
    name: 'invoices',
    where: OWN,
    columns:
      'id, organisation_id, number, customer_id, status, currency, issued_on, due_on, service_period, net, tax, tags, ' +
      'approved_by, created_at, updated_at',
  },
  {
    name: 'invoice_lines',
    where: `invoice_id in ${INVOICES}`,
    columns: 'invoice_id, line_no, description, quantity, unit_price',
  },
  { name: 'line_discounts', where: `invoice_id in ${INVOICES}` },
  { name: 'payments', where: OWN },
  { name: 'payment_allocations', where: `payment_id in ${PAYMENTS}` },
  { name: 'journal_entries', where: OWN },
  { name: 'journal_lines', where: OWN },
  {
    name: 'attachments',
    where: OWN,
    columns: 'id, organisation_id, invoice_id, previous_id, content, metadata, created_at',
  },
  { name: 'access_log', where: OWN },
];

export const TEMPLATES: SliceTable = { name: 'templates', where: OWN };
