import type { ClientBase } from 'pg';
import { quoteIdentifier, quoteQualified } from '../../../database';
import { changesIntact, loadComparison, sameLanes } from '../diff/comparison';
import { imageDigest } from '../diff/image.pure';
import type { SliceLanes } from '../diff/measure-slice';
import { dropChanges } from '../record/drop-relations';
import type { SlicePlan } from '../slice/plan-types';
import { changesTable, previewTable, restoreTableName } from '../slice/restore-tables.pure';

export interface Adopted {
  /** Tables, by number, of which all staged rows come back; their changes are still to be kept (keep-lost.ts). */
  readonly lost: ReadonlySet<number>;
}

/**
 * The merge compares again. When the live slice still has the digest that the approved preview compared, and staging
 * cannot have changed, a second diff would be the first one row by row: the preview's changes are taken over, which saves
 * the second diff (docs/decisions/merge-compares-by-digest.md). Otherwise the caller diffs again. It hashes either.
 *
 * @returns undefined unless the preview's changes now stand for the merge's own diff.
 */
export async function adoptPreview(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  approvedHash: string,
  now: SliceLanes,
): Promise<Adopted | undefined> {
  const comparison = await loadComparison(tx, restoreId);
  if (comparison === undefined || comparison.diffHash !== approvedHash || !sameLanes(comparison.now, now))
    return undefined;
  if (!(await changesIntact(tx, restoreId, plan, comparison))) return undefined;
  if (await anyMoved(tx, restoreId, plan)) return undefined;
  const lost = await lostTables(tx, restoreId, plan);
  const others = plan.tables.filter(({ n }) => !lost.has(n));
  await dropChanges(
    tx,
    restoreId,
    others.map(({ n }) => n),
  );
  const statements = others.flatMap((table) => {
    const changes = quoteIdentifier(restoreTableName(restoreId, 'changes', table.n));
    const any = (comparison.changes[table.n] ?? 0) > 0;
    return [
      `alter table ${previewTable(restoreId, table)} rename to ${changes}`,
      // Undo reads them days later, after whatever crash. What a crash does to an unlogged table is to empty it.
      ...(any ? [`alter table ${changesTable(restoreId, table)} set logged`] : []),
    ];
  });
  if (statements.length > 0) await tx.query(statements.join('; '));
  return { lost };
}

/** Those whose changes are a view of staging (diff/compute-changes.ts), by number. */
async function lostTables(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<ReadonlySet<number>> {
  const { rows } = await tx.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'chronawflow'::regnamespace and relkind = 'v' and relname = any ($1)`,
    [plan.tables.map(({ n }) => restoreTableName(restoreId, 'preview', n))],
  );
  const views = new Set(rows.map(({ name }) => name));
  return new Set(
    plan.tables.map(({ n }) => n).filter((n) => views.has(restoreTableName(restoreId, 'preview', n))),
  );
}

/** Rows without a key are known by their place, and VACUUM FULL or CLUSTER by anybody moves them without changing a byte. */
async function anyMoved(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<boolean> {
  for (const table of plan.tables.filter((one) => one.key.length === 0)) {
    const { rows } = await tx.query<{ moved: boolean }>(
      `select exists (select from ${previewTable(restoreId, table)} c where c.chronawflow_op = 'd' and not exists (
         select from ${quoteQualified(table)} t
         where t.ctid = c.live_row and t.tableoid = c.live_part and ${imageDigest(table.columns, 't')} = c.chronawflow_before)) as moved`,
    );
    if (rows[0]?.moved) return true;
  }
  return false;
}
