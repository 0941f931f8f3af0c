import type { ClientBase } from 'pg';
import { COMMITMENT, RETENTION_ACTION } from '../event';
import type { Violation } from './verify-log';

/** As many as are named; more of them tell nothing more. */
const NAMED = 100;

/**
 * Personal data is what its event committed to, or was erased by an erasure that is in the log. The commitment itself is
 * part of the event, which is compared with what was sealed.
 */
/** The erasure's own event, which may be sealed before the event that it is about, went with a retention. */
const ERASURE_DROPPED = `
  select from chronawflow.erasure r join chronawflow.audit_log l on l.tenant = r.tenant
    join chronawflow.audit_event d on d.action = '${RETENTION_ACTION}' and d.object = l.origin
   where r.id = c.erased_by and not exists (select from chronawflow.audit_event e where e.id = r.event_id)
     and r.erased_at < d.at - (d.details->>'olderThan')::float8 * interval '1 millisecond'`;

const WRONG = `
with committed as (
  select e.id, e.details->>'${COMMITMENT}' as commitment, p.event_id, p.salt, p.data, p.erased_by, e.id is not null and p.event_id is null and exists (
           select from chronawflow.place_of(e.tenant, e.xid, e.id) n join chronawflow.audit_log l on l.id = n.log
             join chronawflow.audit_event r on r.action = '${RETENTION_ACTION}' and r.object = l.origin
             cross join lateral chronawflow.place_of(r.tenant, r.xid, r.id) s
            where s.log = l.id and n.index < (r.details->>'personalBefore')::bigint) as retained
    from chronawflow.audit_event e full join chronawflow.audit_personal p on p.event_id = e.id
   where e.details ? '${COMMITMENT}' or p.event_id is not null
)
select coalesce(c.id, c.event_id) as "eventId", case
    when c.commitment is null then 'has personal data beside it that it did not commit to'
    when c.event_id is null then 'has lost the personal data that it committed to, and no erasure took it'
    when c.erased_by is null then 'has other personal data beside it than it committed to'
    else 'has lost the personal data that it committed to, by an erasure that is not in the log'
  end as problem
from committed c
where c.commitment is null or (c.event_id is null and not c.retained)
   or (c.erased_by is null and encode(sha256(c.salt || convert_to(c.data, 'UTF8')), 'hex') <> c.commitment)
   or (c.erased_by is not null and not exists (
         select from chronawflow.erasure r join chronawflow.audit_event e on e.id = r.event_id
          where r.id = c.erased_by and e.action = 'erasure' and e.outcome = 'ok')
       and not exists (${ERASURE_DROPPED}))
order by 1 limit ${NAMED}`;

export async function checkPersonal(tx: Pick<ClientBase, 'query'>): Promise<Violation[]> {
  const { rows } = await tx.query<{ eventId: string; problem: string }>(WRONG);
  return rows.map(({ eventId, problem }) => ({
    origin: '',
    eventId,
    problem: `event ${eventId} ${problem}`,
  }));
}
