import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { type AuditEvent, setApart } from '../event';

/** An event that is told by the transaction which does the thing. */
export type OutboxEvent = Omit<AuditEvent, 'id' | 'reason'>;

/** Events brought over in one transaction. */
const BATCH = 500;

/**
 * Keeps events in the application's database: in the transaction of an act, so that neither is there without the other. The
 * worker brings them to the audit log (`forwardOutbox`).
 */
export async function writeOutbox(db: ClientBase | Pool, events: readonly OutboxEvent[]): Promise<void> {
  if (events.length === 0) return;
  const apart = events.map((event) => setApart({ ...event, id: '' }));
  await db.query(
    `insert into chronawflow.audit_outbox (actor, action, tenant, object, outcome, request, run, details, personal)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::jsonb[])`,
    [
      events.map((event) => event.actor),
      events.map((event) => event.action),
      events.map((event) => event.tenant ?? null),
      events.map((event) => event.object ?? null),
      events.map((event) => event.outcome),
      events.map((event) => event.request ?? null),
      events.map((event) => event.run ?? null),
      apart.map(({ event }) => JSON.stringify(event.details ?? {})),
      apart.map(({ apart: one }) => one && JSON.stringify({ ...one, salt: one.salt.toString('hex') })),
    ],
  );
}

interface Row {
  readonly seq: string;
  readonly id: string;
  readonly at: string;
}

/**
 * Brings events to the audit log in their order, then forgets them here. One that was brought over before the connection
 * was lost is brought again, and its ID keeps it single. Its details say when it happened, by the application's clock.
 *
 * @returns how many; call again until it is 0
 */
export function forwardOutbox(application: Pool, platform: Pool): Promise<number> {
  return inTransaction(application, async (tx) => {
    const { rows } = await tx.query<Row>(
      `select seq, id, actor, action, tenant, object, outcome, request, run,
         details || jsonb_build_object('at', at) as details, personal
       from chronawflow.audit_outbox order by seq limit ${BATCH} for update skip locked`,
    );
    if (rows.length === 0) return 0;
    await platform.query(
      `with brought as (
         select * from jsonb_to_recordset($1::jsonb) as e
           (id text, actor text, action text, tenant text, object text, outcome text, request text, run text,
            details jsonb, personal jsonb)
       ), recorded as (
         insert into chronawflow.audit_event (id, actor, action, tenant, object, outcome, request, run, details)
         select id, actor, action, tenant, object, outcome, request, run, details from brought
         on conflict (id) do nothing returning id
       )
       insert into chronawflow.audit_personal (event_id, tenant, subject, salt, data)
       select id, tenant, personal->>'subject', decode(personal->>'salt', 'hex'), personal->>'data'
         from brought join recorded using (id) where personal is not null`,
      [JSON.stringify(rows)],
    );
    await tx.query('delete from chronawflow.audit_outbox where seq = any ($1::bigint[])', [
      rows.map((row) => row.seq),
    ]);
    return rows.length;
  });
}
