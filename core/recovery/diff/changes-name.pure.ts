import type { PlanTable } from '../slice/plan-types';
import { changesTable, previewTable } from '../slice/restore-tables.pure';

/** Where changes go: the preview's are unlogged or a view of staging, the merge's are kept for undo. */
export type ChangesKind = 'preview' | 'merge';

export function changesName(kind: ChangesKind, restoreId: string, table: Pick<PlanTable, 'n'>): string {
  return kind === 'preview' ? previewTable(restoreId, table) : changesTable(restoreId, table);
}
