import { quoteLiteral } from '../../../database';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { ownedBy } from '../slice/predicate.pure';
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
        : { kind: 'lookup', sql: (row) => ownedBy(table, row, tenant, lookup) };
    return { schema: table.schema, name: table.name, condition };
  });
}
