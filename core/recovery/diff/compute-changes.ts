import type { ClientBase } from 'pg';
import { quoteIdentifier, quoteList, quoteQualified } from '../../../database';
import { anyLive } from '../slice/any-live';
import { indexStage } from '../slice/index-stage';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { claimedBy, joinColumns } from '../slice/predicate.pure';
import { stageTable } from '../slice/restore-tables.pure';
import type { ConflictDecision, RestoreModes } from '../types';
import { allStaged, type ChangeGroup, totalOfGroups } from './change-groups.pure';
import { type ChangesKind, changesName } from './changes-name.pure';
import { allStagedRows, allStagedView, type ChangesQuery, selectChanges } from './changes-sql.pure';
import { groupChanges } from './group-changes';
import { MANY_CHANGES } from './many-changes';

export interface ChangesScope {
  readonly restoreId: string;
  readonly plan: SlicePlan;
  readonly modes: RestoreModes;
  readonly decisions: readonly ConflictDecision[];
  readonly kind: ChangesKind;
  /**
   * The preview's changes survive a crash from the start, as the merge needs them, and as is cheaper to make: an unlogged
   * table's files are synchronised at once. Not where WAL is decoded, since a preview is nobody's business.
   */
  readonly logged?: boolean;
}

/**
 * Writes the differences between staging and the live slice of one table, under IMAGE_SETTINGS of the caller's
 * transaction. An earlier result of the same kind has been dropped (dropRestoreRelations).
 *
 * @returns the changes, counted and summed up.
 */
export async function computeChanges(
  tx: ClientBase,
  scope: ChangesScope,
  table: PlanTable,
): Promise<readonly ChangeGroup[]> {
  const { restoreId, plan, modes, kind } = scope;
  const name = changesName(kind, restoreId, table);
  await moveForward(tx, restoreId, table);
  const query: ChangesQuery = {
    restoreId,
    table,
    undoOf: plan.undoOf,
    modes,
    tenant: '$1::text',
    lookup: planLookup(plan),
  };
  const lost = await isLost(tx, scope, table);
  if (lost && kind === 'preview') {
    // A view of staging: nothing of a million rows is copied, and the merge keeps them in a session beside its writes.
    await tx.query(`create view ${name} as ${allStagedView(query)}`);
    return allStaged(table);
  }
  const select = lost ? `${allStagedRows(query)} where true` : selectChanges(query);
  await tx.query(
    `create ${kind === 'preview' && !scope.logged ? 'unlogged ' : ''}table ${name} as ${select.includes('$1') ? select : `${select} and $1::text is not null`}`,
    [plan.tenant],
  );
  const groups = await groupChanges(tx, name);
  if (groups.length === 0) return groups;
  await tx.query(`analyze ${name}`);
  if (table.key.length > 0 && totalOfGroups(groups) <= MANY_CHANGES) {
    await indexFewChanges(tx, name, table);
    if (table.unindexed) await indexStage(tx, restoreId, table);
  }
  return groups;
}

/** A table of changes for so many rows, with its digests, takes a millisecond or two: as long as the question. */
const FEW_ROWS = 100;

/**
 * The tenant has no row of the table any more and all staged ones come back. Not where a decision may take single rows
 * out, since then each needs a digest of its own; not for a handful of rows, where the question costs more than the answer.
 */
async function isLost(
  tx: ClientBase,
  { restoreId, plan, modes, decisions }: ChangesScope,
  table: PlanTable,
): Promise<boolean> {
  const simple =
    table.key.length > 0 &&
    table.stagedImage !== undefined &&
    table.stagedRows > FEW_ROWS &&
    modes.create &&
    decidesNothing(decisions);
  if (!simple) return false;
  const claimed = claimedBy(table, 't', '$1::text', restoreId, planLookup(plan));
  return !(await anyLive(tx, plan.tenant, table, claimed));
}

/** No decision keeps a row out of the merge. */
export function decidesNothing(decisions: readonly ConflictDecision[]): boolean {
  return decisions.every(({ decision }) => decision === 'block');
}

/**
 * With few changes the planner loops over them, and a composite key's join is estimated at one row however many there
 * are: without an index each round would scan all changes (1,900 changes cost seconds). With many, loops are off
 * (bulk-settings.ts) and an index would only take time.
 */
async function indexFewChanges(tx: ClientBase, changes: string, table: PlanTable): Promise<void> {
  await tx.query(`create unique index on ${changes} (${quoteList(table.key)})`);
}

/**
 * Invariant 12: a counter that the application may never hand out twice keeps the greater of both values, so the staged
 * row takes over the live one's before it is compared.
 */
async function moveForward(tx: ClientBase, restoreId: string, table: PlanTable): Promise<void> {
  if (table.forward.length === 0 || table.key.length === 0) return;
  const stage = stageTable(restoreId, table);
  const live = quoteQualified(table);
  for (const name of table.forward) {
    const column = quoteIdentifier(name);
    await tx.query(
      `update ${stage} s set ${column} = l.${column} from ${live} l where ${joinColumns(table.key, table.key, 's', 'l')} and l.${column} > s.${column}`,
    );
  }
}
