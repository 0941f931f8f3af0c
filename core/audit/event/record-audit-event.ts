import type { ClientBase } from 'pg';
import type { AuditEvent } from './audit-event';
import { checkEvent } from './check-event.pure';
import { setApart } from './personal-data';

const INSERT = `insert into chronawflow.audit_event (id, actor, action, tenant, object, outcome, reason, request, run, details)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (id) do nothing`;

/** Both or none; the second time nothing, as the event is there. */
const INSERT_WITH_PERSONAL = `with recorded as (${INSERT} returning id, tenant)
  insert into chronawflow.audit_personal (event_id, tenant, subject, salt, data)
  select id, tenant, $11, $12, $13 from recorded`;

/**
 * Writes the event into the control plane's insert-only log; within the caller's transaction when it is given one, so that
 * an action and its event cannot part. The same ID again changes nothing: the first record of an event is the one that
 * counts. The time is the database's own.
 *
 * @throws InvalidInputError when it could not be sealed as it is (check-event.pure.ts)
 */
export async function recordAuditEvent(
  database: Pick<ClientBase, 'query'>,
  given: AuditEvent,
): Promise<void> {
  const { event, apart } = setApart(given);
  const values = apart === undefined ? [] : [apart.subject, apart.salt, apart.data];
  await database.query(apart === undefined ? INSERT : INSERT_WITH_PERSONAL, [
    event.id,
    event.actor,
    event.action,
    event.tenant ?? null,
    event.object ?? null,
    event.outcome,
    event.reason ?? null,
    event.request ?? null,
    event.run ?? null,
    checkEvent(event),
    ...values,
  ]);
}
