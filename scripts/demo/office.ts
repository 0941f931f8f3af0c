import type { Pool } from 'pg';
import { AccountingWriter, seededRandom, seedOrganisation } from '../../examples/accubooks';

/** An organisation of the demo with its accounts office, which writes until it is stopped. */
export interface Office {
  readonly name: string;
  readonly id: string;
  readonly writer: AccountingWriter;
}

const LIMIT_MS = 30_000;

export async function openOffice(pool: Pool, name: string, seed: number): Promise<Office> {
  const { id } = await seedOrganisation(
    pool,
    { name, invoices: 60, users: 4, customers: 8, attachments: 4 },
    seededRandom(seed),
  );
  return { name, id, writer: newWriter(pool, id, seed) };
}

export function newWriter(pool: Pool, organisationId: string, seed: number): AccountingWriter {
  return new AccountingWriter(pool, { organisationId, random: seededRandom(seed), ratePerSecond: 15 });
}

/** Lets every office commit a few more transactions, so that there is something to lose and to keep. */
export async function workOn(offices: readonly Office[], transactions: number): Promise<void> {
  await Promise.all(offices.map((office) => office.writer.waitForCommits(transactions, LIMIT_MS)));
}
