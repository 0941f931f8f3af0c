import type { SlicePlan } from './plan-types';
import type { TableLookup } from './predicate.pure';

/** Finds a table of the plan by its `schema.table` name. */
export function planLookup(plan: SlicePlan): TableLookup {
  const byName = new Map(plan.tables.map((table) => [`${table.schema}.${table.name}`, table]));
  return (name) => {
    const table = byName.get(name);
    if (table === undefined) throw new RangeError(`${name} is not part of the slice's plan`);
    return table;
  };
}
