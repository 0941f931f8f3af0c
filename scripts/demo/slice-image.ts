import { createHash } from 'node:crypto';
import type { Pool } from 'pg';

/**
 * A digest of one organisation's rows that shares no code with the engine: plain SQL over the tables of AccuBooks,
 * hashed here. `counters` is left out because it only moves forward, `outbox` because a restore keeps it.
 */
const ROWS: readonly string[] = [
  'select t.* from organisations t where id = $1',
  ...[
    'users',
    'accounts',
    'customers',
    'invoices',
    'payments',
    'journal_entries',
    'journal_lines',
    'attachments',
    'templates',
    'access_log',
    'accounting_periods',
  ].map((table) => `select t.* from ${table} t where organisation_id = $1`),
  'select t.* from "tenantSettings" t where "organisationId" = $1',
  'select t.* from invoice_lines t join invoices i on i.id = t.invoice_id where i.organisation_id = $1',
  'select t.* from line_discounts t join invoices i on i.id = t.invoice_id where i.organisation_id = $1',
  'select t.* from payment_allocations t join payments p on p.id = t.payment_id where p.organisation_id = $1',
];

export interface SliceImage {
  readonly rows: number;
  readonly sha256: string;
}

export async function sliceImage(pool: Pool, organisationId: string): Promise<SliceImage> {
  const hash = createHash('sha256');
  let rows = 0;
  for (const query of ROWS) {
    const result = await pool.query<{ image: string }>(
      `select (q.*)::text as image from (${query}) q order by (q.*)::text collate "C"`,
      [organisationId],
    );
    hash.update(`${query}\n`);
    for (const { image } of result.rows) hash.update(`${image}\n`);
    rows += result.rows.length;
  }
  return { rows, sha256: hash.digest('hex') };
}
