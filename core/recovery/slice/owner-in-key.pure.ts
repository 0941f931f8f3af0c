import type { PlanTable } from './plan-types';

/**
 * Rows with the same key have the same owner, at the target as now: the tenant column is part of the key and has kept its
 * type. No staged row's key can then be somebody else's.
 */
export function ownerInKey(table: PlanTable): boolean {
  return ownerAmong(table, table.key);
}

/** The same of any unique value: the tenant column is one of these. */
export function ownerAmong(
  { attribution, ownerTypeAtTarget }: Pick<PlanTable, 'attribution' | 'ownerTypeAtTarget'>,
  columns: readonly string[],
): boolean {
  if (ownerTypeAtTarget !== undefined) return false;
  return (
    (attribution.kind === 'column' || attribution.kind === 'tenant-table') &&
    columns.includes(attribution.column)
  );
}
