import type { ClientBase } from 'pg';
import { quoteQualified } from '../../../database';
import { ProofFailedError } from '../errors/proof-failed-error';
import { type Catalog, tableName } from '../slice/catalog-types';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { changesTable } from '../slice/restore-tables.pure';

/**
 * Replica role skips the triggers behind deferrable UNIQUE and EXCLUDE constraints (invariant 15): duplicates would
 * commit silently. Written rows are compared with all rows of the table; constraints that are not deferrable are kept by
 * their index and need no proof.
 */
export async function proveUniqueness(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  live: Catalog,
): Promise<void> {
  for (const table of plan.tables) {
    const catalog = live.tables.find((one) => tableName(one) === tableName(table));
    for (const unique of catalog?.uniques.filter((one) => one.deferrable) ?? []) {
      const equal = unique.expressions.map(
        (_, i) => `w.e${i} ${unique.nullsNotDistinct ? 'is not distinct from' : '='} o.e${i}`,
      );
      await proveOne(tx, restoreId, table, unique.name, unique.expressions, unique.predicate, equal);
    }
    for (const exclusion of catalog?.exclusions.filter((one) => one.deferrable) ?? []) {
      const clash = exclusion.operators.map((operator, i) => `w.e${i} ${operator} o.e${i}`);
      await proveOne(tx, restoreId, table, exclusion.name, exclusion.expressions, exclusion.predicate, clash);
    }
  }
}

async function proveOne(
  tx: ClientBase,
  restoreId: string,
  table: PlanTable,
  constraint: string,
  expressions: readonly string[],
  predicate: string | undefined,
  clash: readonly string[],
): Promise<void> {
  const values = expressions.map((expression, i) => `(${expression}) as e${i}`).join(', ');
  const where = predicate === undefined ? 'true' : predicate;
  // Inside the derived table the row's own columns are unqualified, as the catalog prints expressions.
  const rows = (filter: string) =>
    `(select ${values}, tableoid as part, ctid as place from ${quoteQualified(table)} t where ${where}${filter})`;
  const written =
    table.key.length > 0
      ? ` and exists (select from ${changesTable(restoreId, table)} c where ${joinColumns(table.key, table.key, 't', 'c')} and c.chronawflow_op in ('i', 'u') and not c.chronawflow_skip)`
      : '';
  const { rows: found } = await tx.query<{ count: string }>(
    `select count(*) from (select from ${rows(written)} w join ${rows('')} o on ${clash.join(' and ')} where (w.part, w.place) <> (o.part, o.place) limit 1000) clashes`,
  );
  const clashes = Number(found[0]?.count ?? 0);
  if (clashes > 0)
    throw new ProofFailedError(`${clashes} row(s) of ${tableName(table)} would break ${constraint}`);
}
