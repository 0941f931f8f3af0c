import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../database';
import { attachDocument } from './attach-document';
import { type CreatedOrganisation, createOrganisation, type Plan } from './create-organisation';
import { postInvoice, randomInvoiceLines } from './post-invoice';
import { pick, type Random, randomUuid } from './random';
import { receivePayment } from './receive-payment';

export interface SeedOptions {
  readonly name: string;
  readonly plan?: Plan;
  readonly users?: number;
  readonly customers?: number;
  readonly invoices?: number;
  /** How many of the invoices are paid, oldest first. */
  readonly paid?: number;
  readonly attachments?: number;
}

export interface SeededOrganisation extends CreatedOrganisation {
  /** In the order of their numbers. */
  readonly invoiceIds: readonly string[];
  readonly paymentIds: readonly string[];
}

/**
 * A small organisation with a year of books, made by the application's own transactions with every constraint and
 * trigger on. The same `random` gives the same rows, but for identity values, audit times and sequences.
 * For more than a few thousand invoices take `seedLargeOrganisation`.
 */
export async function seedOrganisation(
  pool: Pool,
  options: SeedOptions,
  random: Random,
): Promise<SeededOrganisation> {
  const invoices = options.invoices ?? 20;
  return inTransaction(pool, async (tx) => {
    const organisation = await createOrganisation(
      tx,
      {
        name: options.name,
        plan: options.plan ?? 'standard',
        users: options.users ?? 3,
        customers: options.customers ?? 5,
      },
      random,
    );
    const invoiceIds = await seedInvoices(tx, organisation, invoices, random);
    const paymentIds: string[] = [];
    for (let n = 0; n < (options.paid ?? Math.floor(invoices / 2)); n += 1) {
      const id = await receivePayment(tx, organisation.id);
      if (id === undefined) break;
      paymentIds.push(id);
    }
    for (let n = 0; n < (options.attachments ?? 2); n += 1) {
      await attachDocument(tx, organisation.id, randomUuid(random), random);
    }
    await seedRecords(tx, organisation);
    return { ...organisation, invoiceIds, paymentIds };
  });
}

async function seedInvoices(
  tx: ClientBase,
  organisation: CreatedOrganisation,
  count: number,
  random: Random,
): Promise<string[]> {
  const [first, ...others] = organisation.customerIds;
  if (first === undefined) return [];
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const invoice = await postInvoice(tx, {
      organisationId: organisation.id,
      customerId: pick(random, [first, ...others]),
      issuedOn: dayOf2026(n / count),
      approvedBy: n % 3 === 0 ? organisation.userIds[0] : undefined,
      lines: randomInvoiceLines(random),
    });
    ids.push(invoice.id);
  }
  return ids;
}

/** The ISO date at a share of the year: 0 is the first of January. */
function dayOf2026(share: number): string {
  return new Date(Date.UTC(2026, 0, 1 + Math.floor(share * 365))).toISOString().slice(0, 10);
}

/** A discount on every third invoice's first line, and sign-ins of which two are equal to the last byte. */
async function seedRecords(tx: ClientBase, organisation: CreatedOrganisation): Promise<void> {
  await tx.query(
    `insert into line_discounts (invoice_id, line_no, reason, percent)
     select id, 1, 'loyalty', 2.50 from invoices where organisation_id = $1 and number % 3 = 0`,
    [organisation.id],
  );
  await tx.query(
    `insert into access_log (organisation_id, user_id, at, action, address)
     select $1, u.id, '2026-01-02T08:00:00Z', 'sign-in', '192.0.2.10'
     from unnest($2::uuid[]) u (id), generate_series(1, 2)`,
    [organisation.id, organisation.userIds],
  );
}
