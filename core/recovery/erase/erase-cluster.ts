import type { ErasuresOfTenant } from '../../erasure';
import { erasedAfter, readAllErasures } from '../../erasure';
import type { RecoveryContext, StepControl } from '../engine';
import { connectScratch } from '../scratch';
import { parseInstant } from '../target/instant.pure';
import type { ResolvedTarget, ScratchHandle } from '../types';
import { eraseRows } from './erase-rows';
import { requireRules } from './erase-staged';

/** What a whole cluster has of people who were erased after its target. */
export interface ErasedInCluster {
  /** Erasures that the cluster did not have. */
  readonly erasures: number;
  /** Rows in which they were applied again; absent while the cluster can only be read. */
  readonly rows?: number;
}

/** Erasures of all tenants that the restored cluster does not have. @throws ErasureRuleError */
export async function missingErasures(
  ctx: RecoveryContext,
  { at }: Pick<ResolvedTarget, 'at'>,
): Promise<ErasuresOfTenant[]> {
  const micros = at === undefined ? undefined : parseInstant(at);
  const all = await readAllErasures(ctx.platform);
  if (all.length > 0) requireRules(ctx);
  return all.flatMap((found) => erasedAfter(found, micros, (text) => parseInstant(text) ?? 0n) ?? []);
}

/** Applies them to a promoted cluster, before anybody is given it; safe to repeat. */
export async function eraseInCluster(
  ctx: RecoveryContext,
  cluster: ScratchHandle,
  missing: readonly ErasuresOfTenant[],
  control: StepControl,
): Promise<number> {
  const scope = { tenancy: ctx.config.tenancy, rules: ctx.config.erasure?.tables ?? {} };
  const pool = connectScratch(cluster, { max: 1 });
  let count = 0;
  try {
    for (const [i, found] of missing.entries()) {
      control.signal?.throwIfAborted();
      control.progress?.({ step: 'erasing again', done: i, total: missing.length });
      const { rows } = await eraseRows(pool, scope, found);
      count += rows.reduce((sum, one) => sum + one.rows, 0);
    }
  } finally {
    await pool.end();
  }
  return count;
}
