import type { ClientBase } from 'pg';
import { quoteIdentifier, quoteList } from '../../../database';
import { MappingRefusedError } from '../errors/mapping-refused-error';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { mappedTable, restoreTablePattern, stageTable } from '../slice/restore-tables.pure';
import type { ConflictScope } from './conflict-queries.pure';
import { imageDigest, rowHash } from './image.pure';
import { type MapDecision, mappedValue } from './mapping.pure';

/** A value that does not fit its type is a mistake of the rule: SQLSTATE class 22, data exception. */
const DATA_EXCEPTION = /^22/;

/**
 * Gives the column of the changes in conflict its mapped value, in staging, once for each row and column. The rows as
 * they were are kept aside for the next preview.
 *
 * @param conflicting SELECT of the changes concerned (see conflict-queries).
 * @returns the number of rows that were mapped now.
 */
export async function mapConflicting(
  tx: ClientBase,
  { restoreId, table, changes }: ConflictScope,
  conflicting: string,
  tenant: string,
  map: MapDecision,
): Promise<number> {
  const column = table.columns.find((one) => one.name === map.column);
  if (column === undefined) throw new RangeError(`${table.schema}.${table.name} has no column ${map.column}`);
  const stage = stageTable(restoreId, table);
  const kept = mappedTable(restoreId, table);
  const value = mappedValue(map.rule, column, 's', '$3');
  await createMapped(tx, restoreId, table);
  let mapped: number;
  try {
    const { rowCount } = await tx.query(
      `with hit as (
         update ${changes} h set chronawflow_mapped = array_append(h.chronawflow_mapped, $2::text)
         where h.ctid in (${conflicting}) and not coalesce($2::text = any (h.chronawflow_mapped), false)
         returning ${quoteList(table.key, 'h.')}),
       kept as (
         insert into ${kept} select s.* from ${stage} s join hit on ${joinColumns(table.key, table.key, 's', 'hit')} on conflict do nothing)
       update ${stage} s set ${quoteIdentifier(column.name)} = ${value.sql} from hit where ${joinColumns(table.key, table.key, 's', 'hit')}`,
      [tenant, column.name, ...value.values],
    );
    mapped = rowCount ?? 0;
  } catch (cause) {
    throw refusedByType(cause, map);
  }
  if (mapped > 0) await imageAgain(tx, table, changes, stage);
  return mapped;
}

/** Puts the target's own values back into staging, so that every preview maps from the same rows. */
export async function unmapStaging(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<void> {
  const { rows } = await tx.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'chronawflow'::regnamespace and relname like $1`,
    [restoreTablePattern(restoreId, 'mapped')],
  );
  const there = new Set(rows.map(({ name }) => `chronawflow.${quoteIdentifier(name)}`));
  for (const table of plan.tables) {
    const kept = mappedTable(restoreId, table);
    if (!there.has(kept)) continue;
    const settable = table.columns.map(({ name }) => name).filter((name) => !table.key.includes(name));
    const set = settable.map((name) => `${quoteIdentifier(name)} = m.${quoteIdentifier(name)}`).join(', ');
    await tx.query(
      `update ${stageTable(restoreId, table)} s set ${set} from ${kept} m where ${joinColumns(table.key, table.key, 's', 'm')}`,
    );
    await tx.query(`delete from ${kept}`);
  }
}

async function createMapped(tx: ClientBase, restoreId: string, table: PlanTable): Promise<void> {
  const { rows } = await tx.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    mappedTable(restoreId, table),
  ]);
  if (rows[0]?.there) return;
  const kept = mappedTable(restoreId, table);
  await tx.query(
    `create unlogged table ${kept} as select * from ${stageTable(restoreId, table)} with no data`,
  );
  await tx.query(`alter table ${kept} add primary key (${quoteList(table.key)})`);
}

/** The changes' images are of the rows as they will be written; one that now writes what is there is no change. */
async function imageAgain(tx: ClientBase, table: PlanTable, changes: string, stage: string): Promise<void> {
  await tx.query(
    `update ${changes} c set chronawflow_after = ${imageDigest(table.columns, 's')}, chronawflow_after_hash = ${rowHash(table.columns, 's')} from ${stage} s
     where c.chronawflow_mapped is not null and ${joinColumns(table.key, table.key, 's', 'c')}`,
  );
  await tx.query(
    `delete from ${changes} where chronawflow_mapped is not null and chronawflow_op = 'u' and chronawflow_before = chronawflow_after`,
  );
}

function refusedByType(cause: unknown, map: MapDecision): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (!(cause instanceof Error) || typeof code !== 'string' || !DATA_EXCEPTION.test(code)) return cause;
  return new MappingRefusedError({ ...map, conflict: map.kind }, cause.message, cause);
}
