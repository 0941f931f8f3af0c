import type { ClientBase } from 'pg';
import { integerBetween, type Random, randomBytes } from './random';

/** Attaches a document to the organisation's newest invoice; it replaces the version that is there. */
export async function attachDocument(
  tx: ClientBase,
  organisationId: string,
  id: string,
  random: Random,
): Promise<void> {
  await tx.query(
    `insert into attachments (id, organisation_id, invoice_id, previous_id, content, metadata)
     select $2, i.organisation_id, i.id,
       (select a.id from attachments a where a.invoice_id = i.id order by a.created_at desc, a.id limit 1),
       $3, jsonb_build_object('fileName', 'invoice-' || i.number || '.pdf', 'pages', $4::integer)
     from invoices i where i.organisation_id = $1
     order by i.number desc limit 1`,
    [organisationId, id, randomBytes(random, integerBetween(random, 64, 1024)), integerBetween(random, 1, 5)],
  );
}
