import type { ClientBase } from 'pg';
import { encodeEntry, STORED_EVENT, type StoredEvent } from '../event';
import type { GrownLog, LogState } from './grow-log.pure';
import { LogOriginChangedError } from './log-origin-changed-error';

export type LogKind = 'tenant' | 'system' | 'platform';

export interface StoredLog extends LogState {
  readonly id: number;
  readonly kind: LogKind;
  readonly tenant: string | null;
  readonly origin: string;
}

/** One leaf to append; a checkpoint of another log has no event. */
export interface NewEntry {
  readonly entry: Buffer;
  readonly eventId: string | null;
}

export interface EventBatch {
  /** By tenant, `null` for those without one; in the order in which they are sealed. */
  readonly entries: ReadonlyMap<string | null, readonly NewEntry[]>;
  readonly count: number;
}

type Position = { readonly xid: string; readonly at: string; readonly id: string };

/**
 * Events that were not sealed yet and that no event can come before any more: those of transactions below the oldest one
 * that still runs. Locks the place up to where events are sealed, and moves it on: of two sealers one waits.
 */
export async function takeEvents(tx: ClientBase, limit: number): Promise<EventBatch> {
  const seal = await tx.query<Position>(
    'select xid::text as xid, at::text as at, id from chronawflow.audit_seal for update',
  );
  const from = seal.rows[0];
  if (from === undefined) throw new RangeError('chronawflow.audit_seal has lost its row');
  const { rows } = await tx.query<StoredEvent & { xid: string; rawAt: string }>(
    `select e.xid::text as xid, e.at::text as "rawAt", ${STORED_EVENT}
       from chronawflow.audit_event e
      where e.xid >= $1::xid8 and (e.xid, e.at, e.id) > ($1::xid8, $2::timestamptz, $3)
        and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by e.xid, e.at, e.id limit $4`,
    [from.xid, from.at, from.id, limit],
  );
  const last = rows.at(-1);
  if (last !== undefined) {
    await tx.query('update chronawflow.audit_seal set xid = $1::xid8, at = $2::timestamptz, id = $3', [
      last.xid,
      last.rawAt,
      last.id,
    ]);
  }
  const entries = new Map<string | null, NewEntry[]>();
  for (const { xid: _, rawAt: __, ...event } of rows) {
    const ofTenant = entries.get(event.tenant) ?? [];
    ofTenant.push({ entry: encodeEntry(event).bytes, eventId: event.id });
    entries.set(event.tenant, ofTenant);
  }
  return { entries, count: rows.length };
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

/** Appends the entries and keeps the grown tree with its signed checkpoint. */
export async function appendToLog(
  tx: ClientBase,
  log: StoredLog,
  entries: readonly NewEntry[],
  grown: GrownLog,
  note: string,
): Promise<void> {
  // One value for all entries travels as the bytes that it is; an array of them would be text of twice the size.
  const lengths = entries.map(({ entry }) => entry.length);
  await tx.query(
    `insert into chronawflow.audit_entry (log, index, entry, event_id)
     select $1, $2::bigint + n - 1, substring($3::bytea from (e - l + 1)::int for l), event_id
       from (select n, l, event_id, sum(l) over (order by n) as e
               from unnest($4::int[], $5::text[]) with ordinality u (l, event_id, n)) placed`,
    [
      log.id,
      log.size,
      Buffer.concat(entries.map(({ entry }) => entry)),
      lengths,
      entries.map(({ eventId }) => eventId),
    ],
  );
  if (grown.subtrees.length > 0) {
    await tx.query(
      `insert into chronawflow.audit_subtree (log, level, index, hash)
       select $1, level, index, hash from unnest($2::int[], $3::bigint[], $4::bytea[]) u (level, index, hash)`,
      [
        log.id,
        grown.subtrees.map(({ level }) => level),
        grown.subtrees.map(({ index }) => index),
        grown.subtrees.map(({ hash }) => hash),
      ],
    );
  }
  await addCheckpoint(tx, log.id, grown.size, note);
  await tx.query('update chronawflow.audit_log set size = $2, edge = $3 where id = $1', [
    log.id,
    grown.size,
    grown.edge,
  ]);
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
