import type { ClientBase, Pool } from 'pg';

export type BookErrorKind =
  | 'entry-unbalanced'
  | 'invoice-sum-wrong'
  | 'invoice-number-missing'
  | 'counter-behind'
  | 'payment-overspent'
  | 'paid-without-payment';

export interface BookError {
  readonly kind: BookErrorKind;
  /** How many rows (or numbers) are wrong. */
  readonly count: number;
}

/**
 * What an auditor would look at first. The database enforces some of it; a mishap or a careless restore breaks the rest.
 * After a restore to an earlier time the counter rightly stands ahead: numbers that were issued since are then missing.
 */
const CHECKS: Readonly<Record<BookErrorKind, string>> = {
  'entry-unbalanced': `
    select count(*) from journal_entries e
    left join (select booked_on, entry_id, sum(debit) - sum(credit) as difference
      from journal_lines where organisation_id = $1 group by booked_on, entry_id) l
      on l.booked_on = e.booked_on and l.entry_id = e.id
    where e.organisation_id = $1 and l.difference is distinct from 0`,
  'invoice-sum-wrong': `
    select count(*) from invoices i
    left join (select l.invoice_id, sum(l.amount) as net from invoice_lines l
      join invoices o on o.id = l.invoice_id where o.organisation_id = $1 group by l.invoice_id) l on l.invoice_id = i.id
    where i.organisation_id = $1 and l.net is distinct from i.net`,
  'invoice-number-missing': `
    select next_invoice_number - 1 - (select count(*) from invoices where organisation_id = $1) as count
    from counters where organisation_id = $1`,
  'counter-behind': `
    select count(*) from invoices i join counters c on c.organisation_id = i.organisation_id
    where i.organisation_id = $1 and i.number >= c.next_invoice_number`,
  'payment-overspent': `
    select count(*) from (select p.id from payments p join payment_allocations a on a.payment_id = p.id
      where p.organisation_id = $1 group by p.id, p.amount having sum(a.amount) > p.amount) overspent`,
  'paid-without-payment': `
    select count(*) from invoices i where i.organisation_id = $1 and i.status = 'paid'
      and i.total is distinct from (select sum(a.amount) from payment_allocations a where a.invoice_id = i.id)`,
};

const KINDS: readonly BookErrorKind[] = [
  'entry-unbalanced',
  'invoice-sum-wrong',
  'invoice-number-missing',
  'counter-behind',
  'payment-overspent',
  'paid-without-payment',
];

/** Empty when the organisation's books are in order. */
export async function findBookErrors(db: Pool | ClientBase, organisationId: string): Promise<BookError[]> {
  const errors: BookError[] = [];
  for (const kind of KINDS) {
    const { rows } = await db.query<{ count: string }>(CHECKS[kind], [organisationId]);
    const count = Number(rows[0]?.count ?? 0);
    if (count > 0) errors.push({ kind, count });
  }
  return errors;
}
