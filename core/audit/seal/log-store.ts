import type { ClientBase } from 'pg';
import type { GrownLog, LogState } from './grow-log.pure';
import { LogOriginChangedError } from './log-origin-changed-error';
import type { NewEntry } from './take-events';

export type LogKind = 'tenant' | 'system' | 'platform';

export interface StoredLog extends LogState {
  readonly id: number;
  readonly kind: LogKind;
  readonly tenant: string | null;
  readonly origin: string;
}

/** What a log gets: its new entries, and the tree with them. */
export interface Growth {
  readonly log: Pick<StoredLog, 'id'>;
  /** Of the first new entry. */
  readonly from: number;
  readonly entries: readonly NewEntry[];
  readonly grown: GrownLog;
}

/** The logs of these tenants (`null`: of events without one), made where there is none yet. */
export async function logsOf(
  tx: ClientBase,
  platformOrigin: string,
  tenants: readonly (string | null)[],
): Promise<StoredLog[]> {
  // A random name: an origin is published and must not tell a tenant.
  await tx.query(
    `insert into chronawflow.audit_log (kind, tenant, origin)
     select case when t is null then 'system' else 'tenant' end, t, $1 || '/' || replace(gen_random_uuid()::text, '-', '')
       from unnest($2::text[]) t
     on conflict (kind, (coalesce(tenant, ''))) do nothing`,
    [platformOrigin, tenants],
  );
  return selectLogs(
    tx,
    `where (kind = 'tenant' and tenant = any ($1::text[])) or (kind = 'system' and $2) order by id`,
    [tenants, tenants.includes(null)],
  );
}

/** The platform's log, made where there is none yet: @param emptyNote signs it as long as it has no entry */
export async function platformLog(
  tx: ClientBase,
  origin: string,
  emptyNote: () => Promise<string>,
): Promise<StoredLog> {
  const made = await tx.query<{ id: number }>(
    `insert into chronawflow.audit_log (kind, origin) values ('platform', $1)
     on conflict (kind, (coalesce(tenant, ''))) do nothing returning id`,
    [origin],
  );
  const id = made.rows[0]?.id;
  if (id !== undefined) await addCheckpoint(tx, id, 0, await emptyNote());
  const [log] = await selectLogs(tx, `where kind = 'platform'`, []);
  if (log === undefined) throw new RangeError('the platform log is not there');
  if (log.origin !== origin) throw new LogOriginChangedError(log.origin, origin);
  return log;
}

/** Appends entries to logs and keeps the hashes that they complete, in two statements however many logs there are. */
export async function appendEntries(tx: ClientBase, growths: readonly Growth[]): Promise<void> {
  const added = growths.flatMap(({ log, from, entries }) =>
    entries.map(({ entry, eventId }, i) => ({ log: log.id, index: from + i, entry, eventId })),
  );
  // One value for all entries travels as the bytes that it is; an array of them would be text of twice the size.
  await tx.query(
    `insert into chronawflow.audit_entry (log, index, entry, event_id)
     select log, index, substring($1::bytea from (e - l + 1)::int for l), event_id
       from (select log, index, l, event_id, sum(l) over (order by n) as e
               from unnest($2::int[], $3::int[], $4::bigint[], $5::text[]) with ordinality u (l, log, index, event_id, n)) placed`,
    [
      Buffer.concat(added.map(({ entry }) => entry)),
      added.map(({ entry }) => entry.length),
      added.map(({ log }) => log),
      added.map(({ index }) => index),
      added.map(({ eventId }) => eventId),
    ],
  );
  const subtrees = growths.flatMap(({ log, grown }) =>
    grown.subtrees.map((subtree) => ({ ...subtree, log: log.id })),
  );
  if (subtrees.length === 0) return;
  await tx.query(
    `insert into chronawflow.audit_subtree (log, level, index, hash)
     select log, level, index, hash from unnest($1::int[], $2::int[], $3::bigint[], $4::bytea[]) u (log, level, index, hash)`,
    [
      subtrees.map(({ log }) => log),
      subtrees.map(({ level }) => level),
      subtrees.map(({ index }) => index),
      subtrees.map(({ hash }) => hash),
    ],
  );
}

/** Keeps what the trees are now, with their signed checkpoints. */
export async function saveTrees(
  tx: ClientBase,
  trees: readonly { readonly id: number; readonly tree: LogState; readonly note: string }[],
): Promise<void> {
  const ids = trees.map(({ id }) => id);
  const sizes = trees.map(({ tree }) => tree.size);
  await tx.query(
    `insert into chronawflow.audit_checkpoint (log, size, note)
     select * from unnest($1::int[], $2::bigint[], $3::text[])`,
    [ids, sizes, trees.map(({ note }) => note)],
  );
  await tx.query(
    `update chronawflow.audit_log l
        set size = t.size, edge = array(select decode(h, 'hex') from unnest(string_to_array(t.edge, ' ')) with ordinality e (h, n) order by n)
       from unnest($1::int[], $2::bigint[], $3::text[]) t (id, size, edge) where l.id = t.id`,
    [ids, sizes, trees.map(({ tree }) => tree.edge.map((hash) => hash.toString('hex')).join(' '))],
  );
}

async function addCheckpoint(tx: ClientBase, log: number, size: number, note: string): Promise<void> {
  await tx.query('insert into chronawflow.audit_checkpoint (log, size, note) values ($1, $2, $3)', [
    log,
    size,
    note,
  ]);
}

async function selectLogs(tx: ClientBase, where: string, values: readonly unknown[]): Promise<StoredLog[]> {
  const { rows } = await tx.query<Omit<StoredLog, 'size'> & { size: string }>(
    `select id, kind, tenant, origin, size, edge from chronawflow.audit_log ${where}`,
    [...values],
  );
  return rows.map((row) => ({ ...row, size: Number(row.size) }));
}
