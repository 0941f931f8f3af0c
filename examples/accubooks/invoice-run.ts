import type { ClientBase } from 'pg';
import { z } from 'zod';
import { defineJob } from '../../client/job-types';
import type { Cents } from './money';
import { postInvoice } from './post-invoice';

/** The month's fee for every customer, in cents. */
const input = z.object({
  /** ISO date. */
  issuedOn: z.iso.date(),
  fee: z.number().int().positive(),
});

/** Customers whose invoices are posted in one transaction: the counter of numbers is locked for as long. */
const PAGE = 50;

/**
 * Bills every customer of an organisation for one month. A page of invoices and the record that it was posted commit
 * together, so that a run that is killed goes on behind its last page: no customer is billed twice, no number is lost.
 */
export const invoiceRun = defineJob({
  type: 'invoice-run',
  input,
  timeout: '30m',
  concurrency: { perTenant: 1 },
  retry: { maxAttempts: 8, nonRetryable: ['OrganisationGoneError'] },
  run: async (ctx, { issuedOn, fee }) => {
    let invoices = 0;
    let page: Page = { count: PAGE, last: null };
    for (let number = 1; page.count === PAGE; number += 1) {
      ctx.signal.throwIfAborted();
      const after = page.last;
      page = await ctx.once(`page ${number}`, (tx) => postPage(tx, ctx.tenant, after, issuedOn, fee));
      invoices += page.count;
    }
    return { invoices };
  },
});

interface Page {
  readonly count: number;
  /** The page's last customer; null for an empty one. */
  readonly last: string | null;
}

async function postPage(
  tx: ClientBase,
  organisationId: string,
  after: string | null,
  issuedOn: string,
  fee: Cents,
): Promise<Page> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from customers
     where organisation_id = $1 and archived_at is null and ($2::uuid is null or id > $2)
     order by id limit $3`,
    [organisationId, after, PAGE],
  );
  for (const { id } of rows) {
    await postInvoice(tx, {
      organisationId,
      customerId: id,
      issuedOn,
      lines: [{ description: 'Monthly fee', quantity: 1, unitPrice: fee }],
    });
  }
  return { count: rows.length, last: rows.at(-1)?.id ?? null };
}

/** What `jobs.modules` of AccuBooks' chronawflow.yaml names. */
export const jobs = [invoiceRun];
