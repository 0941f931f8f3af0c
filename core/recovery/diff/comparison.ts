import type { ClientBase } from 'pg';
import { StagingLostError } from '../errors/staging-lost-error';
import { tableName } from '../slice/catalog-types';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { previewTable, stageTable } from '../slice/restore-tables.pure';
import type { SliceLanes } from './measure-slice';
import { type Lanes, parseLanes } from './slice-digest.pure';

/** What a preview compared, kept with the record: lets the merge find out that nothing has changed since. */
export interface Comparison {
  readonly diffHash: string;
  /** The live slice as it was compared. */
  readonly now: SliceLanes;
  /** Changes by table number. */
  readonly changes: Readonly<Record<string, number>>;
}

interface StoredComparison {
  readonly diffHash: string;
  readonly now: Readonly<Record<string, StoredLanes>>;
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
  };
  await tx.query(
    'update chronawflow.restore set comparison = $2, blocked = $3, updated_at = clock_timestamp() where id = $1',
    [restoreId, JSON.stringify(stored), blocked],
  );
}

/** While the preview's changes are written anew, no merge may take over what stands for the old ones. */
export async function forgetComparison(tx: ClientBase, restoreId: string): Promise<void> {
  await tx.query(
    'update chronawflow.restore set comparison = null, updated_at = clock_timestamp() where id = $1 and comparison is not null',
    [restoreId],
  );
}

export async function loadComparison(tx: ClientBase, restoreId: string): Promise<Comparison | undefined> {
  const { rows } = await tx.query<{ comparison: StoredComparison | null }>(
    'select comparison from chronawflow.restore where id = $1',
    [restoreId],
  );
  const stored = rows[0]?.comparison ?? undefined;
  return stored && { ...stored, now: parseAll(stored.now) };
}

export function sameLanes(x: SliceLanes, y: SliceLanes): boolean {
  return x.size === y.size && [...x].every(([table, lanes]) => equalLanes(lanes, y.get(table)));
}

/**
 * Staging is unlogged: PostgreSQL empties it when the server crashed. An empty staging would look like "delete all", so
 * each table is looked into before it is compared or written.
 */
export async function checkStaging(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<void> {
  const any = await haveRows(
    tx,
    plan.tables.map((table) => stageTable(restoreId, table)),
  );
  plan.tables.forEach((table, i) => {
    if (any[i] !== table.stagedRows > 0) throw new StagingLostError(restoreId, tableName(table));
  });
}

export async function checkStage(tx: ClientBase, restoreId: string, table: PlanTable): Promise<void> {
  const [any] = await haveRows(tx, [stageTable(restoreId, table)]);
  if (any !== table.stagedRows > 0) throw new StagingLostError(restoreId, tableName(table));
}

/** The preview's changes are still there: its tables are unlogged as well. */
export async function changesIntact(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  comparison: Comparison,
): Promise<boolean> {
  const any = await haveRows(
    tx,
    plan.tables.map((table) => previewTable(restoreId, table)),
  );
  return plan.tables.every((table, i) => {
    const before = comparison.changes[table.n];
    return before !== undefined && any[i] === before > 0;
  });
}

/** For each of the relations, whether it has a row. */
async function haveRows(tx: ClientBase, relations: readonly string[]): Promise<readonly boolean[]> {
  const asked = relations.map((relation) => `exists (select from ${relation})`);
  const { rows } = await tx.query<{ any: boolean[] }>(`select array[${asked.join(', ')}]::boolean[] as any`);
  return rows[0]?.any ?? [];
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
