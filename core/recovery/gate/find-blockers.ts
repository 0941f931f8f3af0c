import type { ClientBase } from 'pg';
import type { Blocker } from './blocker.pure';

/**
 * Lock modes that keep the gate waiting. Source: PostgreSQL 15 documentation, table 13.2.
 * `create-triggers` takes SHARE ROW EXCLUSIVE, `drop-triggers` takes ACCESS EXCLUSIVE and waits for every reader.
 */
const CONFLICTING_MODES = {
  'create-triggers': [
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
  'drop-triggers': [
    'AccessShareLock',
    'RowShareLock',
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
} as const;

export type GateWork = keyof typeof CONFLICTING_MODES;

/**
 * A prepared transaction's locks have no pid. Their virtual transaction is -1/<xid> after a restart of the server, but still
 * that of the session until then (seen on 15.20), so the lock on its own transaction ID leads to its gid.
 */
const BLOCKERS = `
select
  coalesce(l.pid, 0) as pid, p.gid,
  coalesce(a.application_name, '') as "applicationName",
  coalesce(a.usename, p.owner, '') as "user",
  coalesce(a.backend_type, '') as "backendType",
  coalesce(a.state, '') as state,
  to_char(coalesce(a.xact_start, p.prepared, a.backend_start, now()) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since,
  to_char(coalesce(a.query_start, a.backend_start, p.prepared, now()) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "queryStart",
  coalesce(extract(epoch from clock_timestamp() - a.xact_start) * 1000, 0)::float8 as "transactionMs",
  case when a.state like 'idle in transaction%' then extract(epoch from clock_timestamp() - a.state_change) * 1000 else 0 end::float8 as "idleMs",
  array_agg(distinct n.nspname || '.' || c.relname) as tables
from pg_locks l
join pg_class c on c.oid = l.relation
join pg_namespace n on n.oid = c.relnamespace
left join pg_stat_activity a on a.pid = l.pid
left join pg_locks x on l.pid is null and x.pid is null and x.locktype = 'transactionid' and x.granted
  and x.virtualtransaction = l.virtualtransaction
left join pg_prepared_xacts p on p.transaction = x.transactionid
where l.locktype = 'relation' and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
  and l.relation = any ($1::oid[]) and l.mode = any ($2)
  and l.pid is distinct from pg_backend_pid()
group by l.pid, p.gid, p.owner, p.prepared, a.application_name, a.usename, a.backend_type, a.state, a.xact_start,
  a.backend_start, a.query_start, a.state_change
order by coalesce(a.xact_start, p.prepared, a.backend_start) nulls last`;

interface BlockerRow extends Omit<Extract<Blocker, { kind: 'session' }>, 'kind'> {
  readonly gid: string | null;
}

/** Who holds a lock that the work has to wait for, the oldest transaction first. Takes no lock itself. */
export async function findBlockers(
  client: Pick<ClientBase, 'query'>,
  relations: readonly { readonly oid: number }[],
  work: GateWork,
): Promise<Blocker[]> {
  const { rows } = await client.query<BlockerRow>(BLOCKERS, [
    relations.map((relation) => relation.oid),
    CONFLICTING_MODES[work],
  ]);
  return rows.map(({ gid, ...session }) =>
    gid === null
      ? { kind: 'session', ...session }
      : { kind: 'prepared', gid, user: session.user, since: session.since, tables: session.tables },
  );
}
