import type { ClientBase } from 'pg';
import { packEntries } from '../log';
import type { Run } from './cut-bundles.pure';
import type { GrownLog, LogState } from './grow-log.pure';
import { LogOriginChangedError } from './log-origin-changed-error';

export type LogKind = 'tenant' | 'system' | 'platform';

export interface StoredLog extends LogState {
  readonly id: number;
  readonly kind: LogKind;
  readonly tenant: string | null;
  readonly origin: string;
}

/** What a log gets: new entries, none of them across the end of a bundle. */
export interface NewRun extends Run {
  readonly log: number;
}

/** The roots of full tiles that new entries completed. */
export type NewSubtree = GrownLog['subtrees'][number] & { readonly log: number };

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

/** Appends entries to logs, in one statement however many logs there are. */
export async function appendRuns(tx: ClientBase, runs: readonly NewRun[]): Promise<void> {
  if (runs.length === 0) return;
  const packed = runs.map(({ entries }) => packEntries(entries.map(({ entry }) => entry)));
  // One value for all of them travels as the bytes that it is; an array would be text of twice the size.
  await tx.query(
    `insert into chronawflow.audit_bundle (log, first, count, entries, event_ids, last_xid)
     select log, first, count, substring($1::bytea from (e - l + 1)::int for l), ids::text[], xid::xid8
       from (select log, first, count, l, ids, xid, sum(l) over (order by n) as e
               from unnest($2::int[], $3::bigint[], $4::int[], $5::int[], $6::text[], $7::text[])
                    with ordinality u (log, first, count, l, ids, xid, n)) placed`,
    [
      Buffer.concat(packed),
      runs.map(({ log }) => log),
      runs.map(({ first }) => first),
      runs.map(({ entries }) => entries.length),
      packed.map(({ length }) => length),
      runs.map(({ entries }) => textArray(entries.flatMap(({ event }) => event?.id ?? []))),
      runs.map(({ entries }) => entries.at(-1)?.event?.xid ?? '0'),
    ],
  );
}

/** As PostgreSQL reads it; an array of arrays of several lengths is none. */
function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** Keeps the hashes that new entries completed. */
export async function saveSubtrees(tx: ClientBase, subtrees: readonly NewSubtree[]): Promise<void> {
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

/** A tree as it is now, with its signed checkpoint. */
export interface SignedTree {
  readonly id: number;
  readonly tree: LogState;
  readonly note: string;
  /** Where the checkpoint stands in the platform log; null for the platform's own. */
  readonly leaf: number | null;
}

/** Keeps what the trees are now. */
export async function saveTrees(tx: ClientBase, trees: readonly SignedTree[]): Promise<void> {
  const ids = trees.map(({ id }) => id);
  const sizes = trees.map(({ tree }) => tree.size);
  await tx.query(
    `insert into chronawflow.audit_checkpoint (log, size, note, leaf)
     select * from unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[])`,
    [ids, sizes, trees.map(({ note }) => note), trees.map(({ leaf }) => leaf)],
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
