import type { ClientBase } from 'pg';
import { type Cents, toNumeric } from './money';

export interface JournalLine {
  readonly account: string;
  readonly debit?: Cents;
  readonly credit?: Cents;
}

export interface JournalEntry {
  readonly organisationId: string;
  /** ISO date. */
  readonly bookedOn: string;
  readonly description: string;
  readonly invoiceId?: string;
  readonly paymentId?: string;
  /** Debits equal credits; the database checks it at commit. Lines without an amount are left out. */
  readonly lines: readonly JournalLine[];
}

export async function postJournalEntry(tx: ClientBase, entry: JournalEntry): Promise<void> {
  const lines = entry.lines.filter((line) => (line.debit ?? 0) > 0 || (line.credit ?? 0) > 0);
  await tx.query(
    `with entry as (
       insert into journal_entries (organisation_id, booked_on, description, invoice_id, payment_id)
       values ($1, $2, $3, $4, $5)
       returning organisation_id, booked_on, id
     )
     insert into journal_lines (organisation_id, booked_on, entry_id, line_no, account_code, debit, credit)
     select e.organisation_id, e.booked_on, e.id, l.line_no, l.account, l.debit, l.credit
     from entry e, unnest($6::text[], $7::numeric[], $8::numeric[]) with ordinality l (account, debit, credit, line_no)`,
    [
      entry.organisationId,
      entry.bookedOn,
      entry.description,
      entry.invoiceId ?? null,
      entry.paymentId ?? null,
      lines.map((line) => line.account),
      lines.map((line) => toNumeric(line.debit ?? 0)),
      lines.map((line) => toNumeric(line.credit ?? 0)),
    ],
  );
}
