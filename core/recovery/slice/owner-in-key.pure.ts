import type { PlanTable } from './plan-types';

/**
 * Rows with the same key have the same owner, at the target as now: the tenant column is part of the key and has kept its
 * type. No staged row's key can then be somebody else's.
 */
export function ownerInKey({ attribution, key, ownerTypeAtTarget }: PlanTable): boolean {
  if (ownerTypeAtTarget !== undefined) return false;
  return (
    (attribution.kind === 'column' || attribution.kind === 'tenant-table') && key.includes(attribution.column)
  );
}
