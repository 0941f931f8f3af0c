import type { ClientBase } from 'pg';
import { quoteIdentifier } from '../../../database';
import {
  ErasureRuleError,
  type ErasuresOfTenant,
  erasedAfter,
  eraseRowsSql,
  lastErasure,
  readErasures,
} from '../../erasure';
import { IMAGE_COLUMN, imageColumn, imageDigest } from '../diff/image.pure';
import type { RecoveryContext } from '../engine';
import { StagingLostError } from '../errors/staging-lost-error';
import { tableName } from '../slice/catalog-types';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { stageTable } from '../slice/restore-tables.pure';
import { parseInstant } from '../target/instant.pure';

/** What was erased since the state that is staged, so that it does not come back. */
export interface ErasedSince {
  /** Names the tenant's last erasure; absent when there was none. */
  readonly upTo: string | undefined;
  /** Absent when nothing was erased after the state. */
  readonly found: ErasuresOfTenant | undefined;
}

/**
 * @param at when the staged state is from, ISO 8601 with microseconds; undefined when that is not known
 * @throws ErasureRuleError when there were erasures and the configuration does not say any more what they concern
 */
export async function erasedSince(
  ctx: RecoveryContext,
  tenant: string,
  at: string | undefined,
): Promise<ErasedSince> {
  const all = await readErasures(ctx.platform, tenant);
  if (all !== undefined) requireRules(ctx);
  const micros = at === undefined ? undefined : parseInstant(at);
  return {
    upTo: all?.erasures.at(-1)?.id,
    found: erasedAfter(all, micros, (text) => parseInstant(text) ?? 0n),
  };
}

export function requireRules({ config }: RecoveryContext): void {
  if (config.erasure !== undefined) return;
  throw new ErasureRuleError('the application', 'there were erasures, and the section erasure is gone');
}

/** Erases staged rows before anything is made of them (core/erasure/README.md, invariant 2). @returns how many */
export async function eraseStaged(
  tx: ClientBase,
  ctx: RecoveryContext,
  restoreId: string,
  table: PlanTable,
  { found }: ErasedSince,
): Promise<{ readonly erased: number; readonly removed: number }> {
  const name = tableName(table);
  const rule = ctx.config.erasure?.tables[name];
  if (rule === undefined || found === undefined) return { erased: 0, removed: 0 };
  const relation = stageTable(restoreId, table);
  const { sql, values } = eraseRowsSql(rule, { name, relation, columns: table.columns }, found);
  const { rowCount } = await tx.query(sql, [...values]);
  const erased = rowCount ?? 0;
  if (erased > 0 && imageColumn(table).length > 0) {
    const digest = imageDigest(table.columns, 's');
    const image = quoteIdentifier(IMAGE_COLUMN);
    await tx.query(
      `update ${relation} s set ${image} = ${digest} where s.${image} is distinct from ${digest}`,
    );
  }
  return { erased, removed: rule.delete ? erased : 0 };
}

/** What the plan keeps of it: for the check before the merge, and for people. */
export function erasedPart({ upTo, found }: ErasedSince, rows: number): Pick<SlicePlan, 'erased'> {
  return upTo === undefined ? {} : { erased: { upTo, erasures: found?.erasures.length ?? 0, rows } };
}

/**
 * The staging has everything erased that there was. Under the tenant's erasure lock this holds to the transaction's end.
 *
 * @throws StagingLostError when something was erased since: it is staged again
 */
export async function requireErased(ctx: RecoveryContext, restoreId: string, plan: SlicePlan): Promise<void> {
  if ((await lastErasure(ctx.platform, plan.tenant)) !== plan.erased?.upTo)
    throw new StagingLostError(restoreId, 'what was erased meanwhile');
}
