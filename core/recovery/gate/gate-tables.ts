import { quoteLiteral } from '../../../database';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { type Equality, ownedBy } from '../slice/predicate.pure';
import type { GateTable } from './types';

/** The tables of a plan as the gate guards them. */
export function gateTables(plan: SlicePlan): GateTable[] {
  const lookup = planLookup(plan);
  const tenant = `${quoteLiteral(plan.tenant)}::text`;
  return plan.tables.map((table: PlanTable) => {
    const { attribution } = table;
    const condition: GateTable['condition'] =
      attribution.kind === 'column' || attribution.kind === 'tenant-table'
        ? { kind: 'column', column: attribution.column, type: table.ownerType ?? 'text' }
        : { kind: 'lookup', sql: (row) => ownedBy(table, row, tenant, lookup, withoutSearchPath) };
    return { schema: table.schema, name: table.name, condition };
  });
}

/**
 * The gate's function finds no operator outside pg_catalog: under its pinned search_path `=` of two citext would be that of
 * text, and a row whose owner is spelt otherwise would pass. Records are compared by each type's own default equality,
 * wherever it lives, but by no index; so only values of types from elsewhere whose equality is not that of their image are.
 */
const withoutSearchPath: Equality = (left, right, column) =>
  column === undefined || column.exactEquality || !column.storageType.includes('.')
    ? `${left} = ${right}`
    : `(${left} is not null and row(${left})::record operator(pg_catalog.=) row(${right})::record)`;
