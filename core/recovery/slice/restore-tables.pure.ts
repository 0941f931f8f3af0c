import { quoteIdentifier } from '../../../database';

/**
 * Names of the tables that one restore makes in schema `chronawflow`. All begin with the restore's ID, so that clean-up
 * finds them without any record.
 */
export type RestoreTableKind = 'stage' | 'mapped' | 'completed' | 'preview' | 'changes' | 'packed' | 'before';

/** The target's rows, unlogged. */
export function stageTable(restoreId: string, table: { readonly n: number }): string {
  return restoreTable(restoreId, 'stage', table.n);
}

/** Staged rows as they were before a decision mapped them, unlogged; only there when one did. */
export function mappedTable(restoreId: string, table: { readonly n: number }): string {
  return restoreTable(restoreId, 'mapped', table.n);
}

/** The differences that the preview shows. */
export function previewTable(restoreId: string, table: { readonly n: number }): string {
  return restoreTable(restoreId, 'preview', table.n);
}

/** The differences that the merge wrote; kept with the pre-images for undo. */
export function changesTable(restoreId: string, table: { readonly n: number }): string {
  return restoreTable(restoreId, 'changes', table.n);
}

/** Those of a table that was lost whole, as arrays; what is called its table of changes is a view of them. */
export function packedTable(restoreId: string, table: { readonly n: number }): string {
  return restoreTable(restoreId, 'packed', table.n);
}

/** Pre-images: the rows that the merge overwrote or deleted. */
export function beforeTable(restoreId: string, table: { readonly n: number }): string {
  return restoreTable(restoreId, 'before', table.n);
}

function restoreTable(restoreId: string, kind: RestoreTableKind, n: number): string {
  return `chronawflow.${quoteIdentifier(restoreTableName(restoreId, kind, n))}`;
}

export function restoreTableName(restoreId: string, kind: RestoreTableKind, n: number): string {
  return `${restoreId}_${kind}_${n}`;
}

/** `like` pattern for all tables of a kind; restore IDs have no characters that `like` treats specially but `_`. */
export function restoreTablePattern(restoreId: string, kind: RestoreTableKind): string {
  return `${restoreId.replaceAll('_', '\\_')}\\_${kind}\\_%`;
}
