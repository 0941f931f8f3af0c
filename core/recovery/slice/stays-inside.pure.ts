import { type ForeignKey, tableName } from './catalog-types';
import type { PlanTable } from './plan-types';

/**
 * The parent of a row of the slice is in the slice as well: the key is the table's path to the tenant, or carries the
 * tenant column on both sides. Such parents stand under the freeze and need no lock.
 */
export function staysInside(table: PlanTable, key: ForeignKey, parent: PlanTable): boolean {
  const { attribution } = table;
  if (attribution.kind === 'path') {
    return (
      attribution.columns.join('\0') === key.columns.join('\0') && attribution.parent === tableName(parent)
    );
  }
  const owner = ownerColumn(table);
  const parentOwner = ownerColumn(parent);
  return (
    owner !== undefined &&
    key.columns.some((name, i) => name === owner && key.parentColumns[i] === parentOwner)
  );
}

function ownerColumn({ attribution }: PlanTable): string | undefined {
  return attribution.kind === 'column' || attribution.kind === 'tenant-table'
    ? attribution.column
    : undefined;
}
