import type { ClientBase } from 'pg';
import { StagingLostError } from '../errors/staging-lost-error';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { stageTable } from '../slice/restore-tables.pure';
import { type ChangesKind, changesName } from './compute-changes';
import type { SliceLanes } from './measure-slice';
import { type Lanes, parseLanes } from './slice-digest.pure';

/** What a preview compared, kept with the record: lets the merge find out that nothing has changed since. */
export interface Comparison {
  readonly diffHash: string;
  /** The live slice as it was compared, and as the merge will leave it. */
  readonly now: SliceLanes;
  readonly expected: SliceLanes;
  /** Changes by table number. */
  readonly changes: Readonly<Record<string, number>>;
}

interface StoredComparison {
  readonly diffHash: string;
  readonly now: Readonly<Record<string, StoredLanes>>;
  readonly expected: Readonly<Record<string, StoredLanes>>;
  readonly changes: Readonly<Record<string, number>>;
}

interface StoredLanes {
  readonly rows: string;
  readonly a: string;
  readonly b: string;
}

export async function saveComparison(
  tx: ClientBase,
  restoreId: string,
  comparison: Comparison,
  blocked: boolean,
): Promise<void> {
  const stored: StoredComparison = {
    ...comparison,
    now: storeLanes(comparison.now),
    expected: storeLanes(comparison.expected),
  };
  await tx.query(
    'update chronawflow.restore set comparison = $2, blocked = $3, updated_at = clock_timestamp() where id = $1',
    [restoreId, JSON.stringify(stored), blocked],
  );
}

export async function loadComparison(tx: ClientBase, restoreId: string): Promise<Comparison | undefined> {
  const { rows } = await tx.query<{ comparison: StoredComparison | null }>(
    'select comparison from chronawflow.restore where id = $1',
    [restoreId],
  );
  const stored = rows[0]?.comparison ?? undefined;
  return stored && { ...stored, now: parseAll(stored.now), expected: parseAll(stored.expected) };
}

export function sameLanes(x: SliceLanes, y: SliceLanes): boolean {
  return x.size === y.size && [...x].every(([table, lanes]) => equalLanes(lanes, y.get(table)));
}

/**
 * Staging is unlogged: PostgreSQL empties it when the server crashed. An empty staging would look like "delete all", so
 * what was staged is counted before it is compared or written.
 */
export async function checkStaging(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<void> {
  for (const table of plan.tables) {
    const rows = await countRows(tx, stageTable(restoreId, table));
    if (rows !== table.stagedRows) throw new StagingLostError(restoreId, `${table.schema}.${table.name}`);
  }
}

/** The preview's changes are still all there. */
export async function changesIntact(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  comparison: Comparison,
): Promise<boolean> {
  for (const table of plan.tables) {
    if ((await countChanges(tx, restoreId, table, 'preview')) !== comparison.changes[table.n]) return false;
  }
  return true;
}

export function countChanges(
  tx: ClientBase,
  restoreId: string,
  table: PlanTable,
  kind: ChangesKind,
): Promise<number> {
  return countRows(tx, changesName(kind, restoreId, table));
}

async function countRows(tx: ClientBase, table: string): Promise<number> {
  const { rows } = await tx.query<{ count: string }>(`select count(*) from ${table}`);
  return Number(rows[0]?.count ?? 0);
}

function storeLanes(lanes: SliceLanes): Record<string, StoredLanes> {
  return Object.fromEntries(
    [...lanes].map(([table, { rows, a, b }]) => [table, { rows: String(rows), a: String(a), b: String(b) }]),
  );
}

function parseAll(stored: Readonly<Record<string, StoredLanes>>): SliceLanes {
  return new Map(Object.entries(stored).map(([table, lanes]) => [table, parseLanes(lanes)]));
}

function equalLanes(x: Lanes, y: Lanes | undefined): boolean {
  return y !== undefined && x.rows === y.rows && x.a === y.a && x.b === y.b;
}
