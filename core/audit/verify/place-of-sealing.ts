import type { ClientBase } from 'pg';
import type { Violation } from './verify-log';

/** Events that no checkpoint covers yet: nothing is proved about them. */
export interface Unsealed {
  readonly events: number;
  /** How long the oldest has waited, by the database's clock. */
  readonly oldestMs: number;
  /** ISO 8601 with microseconds. */
  readonly oldestAt?: string;
}

/** As many as are named; more of them tell nothing more. */
const NAMED = 100;

/** Events before the place up to where was sealed that are in no log: the sealer cannot have passed them over. */
export async function findUnlisted(tx: Pick<ClientBase, 'query'>): Promise<Violation[]> {
  // How many there are in a bundle is not known to the planner, which would go through all of them for each event.
  await tx.query(`select set_config('enable_nestloop', 'off', true)`);
  const { rows } = await tx.query<{ id: string; actor: string; action: string }>(
    `select e.id, e.actor, e.action from chronawflow.audit_event e
      where (e.xid, e.at, e.id) <= (select s.xid, s.at, s.id from chronawflow.audit_seal s)
        and not exists (select from chronawflow.audit_place n where n.event_id = e.id)
      order by e.xid, e.at limit ${NAMED}`,
  );
  await tx.query(`select set_config('enable_nestloop', 'on', true)`);
  return rows.map(({ id, actor, action }) => ({
    origin: '',
    eventId: id,
    problem: `event ${id} (${actor}, ${action}) stands among those that were sealed and is in no log`,
  }));
}

export async function countUnsealed(tx: Pick<ClientBase, 'query'>): Promise<Unsealed> {
  const { rows } = await tx.query<{ events: string; oldestAt: string | null; oldestMs: number }>(
    `select count(*) as events, to_char(min(e.at) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "oldestAt",
            coalesce(extract(epoch from clock_timestamp() - min(e.at)) * 1000, 0)::float8 as "oldestMs"
       from chronawflow.audit_event e, chronawflow.audit_seal s
      where e.xid >= s.xid and (e.xid, e.at, e.id) > (s.xid, s.at, s.id)`,
  );
  const [found] = rows;
  return {
    events: Number(found?.events ?? 0),
    oldestMs: found?.oldestMs ?? 0,
    ...(found?.oldestAt ? { oldestAt: found.oldestAt } : {}),
  };
}
