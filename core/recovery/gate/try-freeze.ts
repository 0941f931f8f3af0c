import type { Pool, PoolClient } from 'pg';
import { inTransaction, quoteLiteral, quoteQualified } from '../../../database';
import { createGateFunction } from './gate-function.pure';
import { writeFrozenGate } from './gate-row';
import { createGateTriggers } from './gate-triggers.pure';
import { isLockFailure } from './lock-failure';
import { readRelations } from './read-relations';
import { pinSearchPath } from './search-path';
import type { FreezeSpec } from './types';

/** `lockMs`: longest that another session could have stood behind this try, from asking for the first lock to commit. */
export type TriedFreeze = { readonly lockMs: number } & (
  | { readonly kind: 'frozen'; readonly gate: { readonly frozenAt: string; readonly until: string } }
  | { readonly kind: 'frozen-by-another' }
  | { readonly kind: 'not-now' }
);

/**
 * One try, one transaction, one budget for waiting and working. All that needs no table lock comes first: row and
 * functions are made before anybody can be kept waiting.
 */
export async function tryFreeze(pool: Pool, spec: FreezeSpec, budgetMs: number): Promise<TriedFreeze> {
  let lockedSince: number | undefined;
  const lockMs = () => (lockedSince === undefined ? 0 : Math.ceil(performance.now() - lockedSince));
  try {
    const gate = await inTransaction(pool, async (tx) => {
      // First, because it serialises two calls for the same restore on the row's key.
      const row = await writeFrozenGate(tx, spec);
      if (row === undefined) return undefined;
      const freeze = { restoreId: spec.restoreId, tenant: spec.tenant, frozenAt: row.frozenAt };
      for (const [index, table] of spec.tables.entries()) {
        await tx.query(createGateFunction(freeze, index, table.condition));
      }
      await pinSearchPath(tx, spec.tables);

      lockedSince = performance.now();
      await within(tx, budgetMs, lockedSince, lockTables(spec));
      // Under the locks no partition can be attached any more.
      const relations = await readRelations(tx, spec.tables);
      await within(tx, budgetMs, lockedSince, triggerBlock(spec, relations));
      return row;
    });
    return gate === undefined
      ? { kind: 'frozen-by-another', lockMs: 0 }
      : { kind: 'frozen', gate, lockMs: lockMs() };
  } catch (error) {
    if (!isLockFailure(error)) throw error;
    return { kind: 'not-now', lockMs: lockMs() };
  }
}

/** A statement that must end within what is left of the budget, its lock waits included. */
async function within(tx: PoolClient, budgetMs: number, since: number, sql: string): Promise<void> {
  const left = Math.max(1, Math.floor(budgetMs - (performance.now() - since)));
  await tx.query(`set local statement_timeout = ${left}`);
  await tx.query(sql);
}

/** The mode of CREATE TRIGGER; partitions and inheritance children are locked with their parent. */
function lockTables(spec: FreezeSpec): string {
  return `lock table ${spec.tables.map(quoteQualified).join(', ')} in share row exclusive mode`;
}

/** One DO block, so that the statement timeout bounds the sum: in a list of statements each would have its own. */
function triggerBlock(spec: FreezeSpec, relations: Awaited<ReturnType<typeof readRelations>>): string {
  const statements = relations.flatMap((relation) => {
    const table = spec.tables[relation.table];
    if (table === undefined) return [];
    return createGateTriggers({ ...spec, index: relation.table, condition: table.condition }, relation);
  });
  return `do ${quoteLiteral(`begin\n${statements.join('\n')}\nend`)}`;
}
