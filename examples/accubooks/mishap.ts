import { DatabaseError, type Pool } from 'pg';
import { inTransaction } from '../../database';

/** What went wrong, as the postmortem will have it. */
export interface Mishap {
  readonly story: string;
  /** The statement that did it. */
  readonly statement: string;
  /** Rows that the statement itself changed, without those that went by cascade. */
  readonly rows: number;
}

/** A clean-up job for one customer's test invoices that lost its WHERE: lines, allocations, attachments go along. */
export function deleteAllInvoices(pool: Pool, organisationId: string): Promise<Mishap> {
  return commit(
    pool,
    'a clean-up job deleted all invoices instead of the test invoices',
    'delete from invoices where organisation_id = $1',
    organisationId,
  );
}

/** A tax change applied to prices that had it already, posted invoices included. */
export function overcharge(pool: Pool, organisationId: string): Promise<Mishap> {
  return commit(
    pool,
    'a migration put 20 % on top of every price, those of posted invoices too',
    `update invoice_lines l set unit_price = l.unit_price * 1.2
     from invoices i where i.id = l.invoice_id and i.organisation_id = $1`,
    organisationId,
  );
}

/** Support closed the wrong account: everything goes by cascade, templates lose their owner. */
export function loseOrganisation(pool: Pool, organisationId: string): Promise<Mishap> {
  return commit(
    pool,
    'support closed the account of the wrong organisation',
    'delete from organisations where id = $1',
    organisationId,
  );
}

/**
 * Deleting a busy organisation may deadlock with its writers: the cascade waits for a row of theirs while they wait for
 * the organisation's. Each try ends within deadlock_timeout; whoever made the mistake would click again, too.
 */
const DEADLOCK_ATTEMPTS = 20;
const DEADLOCK_DETECTED = '40P01';

async function commit(pool: Pool, story: string, statement: string, organisationId: string): Promise<Mishap> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const rows = await inTransaction(
        pool,
        async (tx) => (await tx.query(statement, [organisationId])).rowCount ?? 0,
      );
      return { story, statement, rows };
    } catch (error) {
      const deadlock = error instanceof DatabaseError && error.code === DEADLOCK_DETECTED;
      if (!deadlock || attempt === DEADLOCK_ATTEMPTS) throw error;
    }
  }
}
