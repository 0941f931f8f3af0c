import type { ClientBase } from 'pg';
import { encodeEntry, STORED_EVENT, type StoredEvent } from '../event';

/** One leaf to append; a checkpoint of another log is no event. */
export interface NewEntry {
  readonly entry: Buffer;
  readonly event?: {
    readonly id: string;
    /** Of the transaction that wrote it. */
    readonly xid: string;
  };
}

/** Up to where events are sealed, in the order in which they are. */
interface Position {
  readonly xid: string;
  readonly at: string;
  readonly id: string;
}

type Row = StoredEvent & { readonly xid: string };

/**
 * For this transaction, events are read along their index. Of what was written last there are no statistics, so the planner takes a backlog for
 * a few rows, and would fetch and sort all of it for each page: 64,000 events took 190 ms a page, and take 30 so.
 */
const IN_ORDER = `select set_config(name, 'off', true) from unnest(array['enable_bitmapscan', 'enable_seqscan', 'enable_sort']) name`;

/** Events of one answer of the database: while it looks for the next ones, these are encoded. */
const PAGE = 5_000;

/**
 * Events that were not sealed yet and that no event can come before any more, those of transactions below the oldest one that
 * still runs, a page at a time: by tenant, `null` for those without one, in the order in which they are sealed. Locks the place
 * up to where events are sealed, and moves it on at the end: of two sealers one waits.
 *
 * @param limit how many at most, over all pages
 */
export async function* takeEvents(
  tx: ClientBase,
  limit: number,
): AsyncGenerator<ReadonlyMap<string | null, readonly NewEntry[]>> {
  const { rows: places } = await tx.query<Position>(
    'select xid::text as xid, at::text as at, id from chronawflow.audit_seal for update',
  );
  const [from] = places;
  if (from === undefined) throw new RangeError('chronawflow.audit_seal has lost its row');
  await tx.query(IN_ORDER);
  let [last, left]: [Position, number] = [from, limit];
  let next: Promise<Row[]> | undefined = readPage(tx, from, Math.min(PAGE, left));
  while (next !== undefined) {
    const rows: Row[] = await next;
    left -= rows.length;
    last = rows.at(-1) ?? last;
    next = rows.length === PAGE && left > 0 ? readPage(tx, last, Math.min(PAGE, left)) : undefined;
    // Whoever goes through the pages may fail before this one is asked for.
    next?.catch(() => undefined);
    if (rows.length > 0) yield byTenant(rows);
  }
  if (last === from) return;
  await tx.query('update chronawflow.audit_seal set xid = $1::xid8, at = $2::timestamptz, id = $3', [
    last.xid,
    last.at,
    last.id,
  ]);
}

async function readPage(tx: ClientBase, after: Position, limit: number): Promise<Row[]> {
  const { rows } = await tx.query<Row>(
    `select e.xid::text as xid, ${STORED_EVENT}
       from chronawflow.audit_event e
      where e.xid >= $1::xid8 and (e.xid, e.at, e.id) > ($1::xid8, $2::timestamptz, $3)
        and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by e.xid, e.at, e.id limit $4`,
    [after.xid, after.at, after.id, limit],
  );
  return rows;
}

function byTenant(rows: readonly Row[]): Map<string | null, NewEntry[]> {
  const entries = new Map<string | null, NewEntry[]>();
  for (const { xid, ...event } of rows) {
    const ofTenant = entries.get(event.tenant) ?? [];
    ofTenant.push({ entry: encodeEntry(event).bytes, event: { id: event.id, xid } });
    entries.set(event.tenant, ofTenant);
  }
  return entries;
}
