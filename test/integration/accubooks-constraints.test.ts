import type { SeededOrganisation } from '../../examples/accubooks';
import { useAccuBooks } from '../support/accubooks-lab';

const at = useAccuBooks();
const { seed, count } = at;

describe('constraints', () => {
  let organisation: SeededOrganisation;

  beforeAll(async () => {
    organisation = await seed('Constrained');
  });

  const refused = (sql: string, ...values: unknown[]) =>
    at.app.query(sql, values).then(
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
      await refused(`delete from journal_lines where organisation_id = $1 and line_no = 1`, organisation.id),
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
    await at.app.query(`update invoices set tags = '{seen}' where id = $1`, [invoiceId]);
    expect(await count('invoices', 'id = $1 and updated_at > created_at', invoiceId)).toBe(1);
    expect(
      await count('outbox', `topic = 'invoice.update' and payload ->> 'id' = $1::text`, invoiceId),
    ).toBeGreaterThan(0);
  });
});
