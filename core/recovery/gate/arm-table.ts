import type { Pool, PoolClient } from 'pg';
import { inTransaction, quoteLiteral, quoteQualified } from '../../../database';
import { GateBusyError } from '../errors/gate-busy-error';
import { SET_FLUSHED_LATER } from './flushed-later';
import { createGateFunction } from './gate-function.pure';
import { renewArming } from './gate-row';
import { createGateTriggers } from './gate-triggers.pure';
import { isLockFailure } from './lock-failure';
import { type GateRelation, readRelations } from './read-relations';
import { setSearchPath, typeSchemas } from './search-path';
import type { GateTable } from './types';

export interface ArmingFreeze {
  readonly restoreId: string;
  readonly tenant: string;
  readonly frozenAt: string;
  readonly leaseMs: number;
  readonly budgetMs: number;
  /** Every tenant column's type is known to be PostgreSQL's own (search-path.ts); else each table is asked. */
  readonly plainTypes?: boolean;
}

export interface ArmedTable {
  readonly armed: boolean;
  /** Longest that another session could have stood behind this try: from asking for the lock until the commit. */
  readonly lockMs: number;
}

/**
 * One try to give one table its triggers, in one transaction: all of the table's relations or none. What needs no table
 * lock comes first; waiting for the lock and working under it share one budget.
 *
 * Why one table at a time, and not all in one transaction: docs/decisions/freeze-locks.md.
 *
 * @param seen the table's relations as they were a moment ago; nothing happens when all are armed or none is left.
 * @throws GateBusyError when the freeze was taken back or completed by another session.
 */
export async function armTable(
  pool: Pool,
  freeze: ArmingFreeze,
  table: GateTable,
  seen: readonly GateRelation[],
): Promise<ArmedTable> {
  const [root] = seen;
  if (root === undefined || seen.every((relation) => relation.armed)) return { armed: true, lockMs: 0 };
  let lockedSince: number | undefined;
  const lockMs = () => (lockedSince === undefined ? 0 : Math.ceil(performance.now() - lockedSince));
  try {
    await inTransaction(
      pool,
      async (tx) => {
        if (!(await renewArming(tx, freeze.restoreId, freeze.frozenAt, freeze.leaseMs))) {
          throw new GateBusyError(freeze.restoreId);
        }
        const path = freeze.plainTypes ? setSearchPath([]) : setSearchPath(await typeSchemas(tx, [table]));
        await tx.query(
          `${SET_FLUSHED_LATER}; ${createGateFunction(freeze, root.oid, table.condition)}; ${path}`,
        );

        lockedSince = performance.now();
        // The mode of CREATE TRIGGER. Partitions and inheritance children are locked along with their parent.
        const lock = `lock table ${quoteQualified(table)} in share row exclusive mode`;
        await within(tx, freeze.budgetMs, lockedSince, lock);
        // Again, because under the lock no partition can be attached any more.
        const relations = await readRelations(tx, [table], freeze.restoreId);
        const triggers = relations
          .filter((relation) => !relation.armed)
          .flatMap((relation) =>
            createGateTriggers({ ...freeze, tableOid: root.oid, condition: table.condition }, relation),
          );
        await within(tx, freeze.budgetMs, lockedSince, inOneStatement(triggers));
      },
      { lockTimeoutMs: freeze.budgetMs },
    );
    return { armed: true, lockMs: lockMs() };
  } catch (error) {
    if (!isLockFailure(error)) throw error;
    return { armed: false, lockMs: lockMs() };
  }
}

/** A statement that must end within what is left of the budget, its lock waits included. */
async function within(tx: PoolClient, budgetMs: number, since: number, sql: string): Promise<void> {
  const left = Math.max(1, Math.floor(budgetMs - (performance.now() - since)));
  // In one message; each statement of it has the timeout that is set when it begins.
  await tx.query(`set local statement_timeout = ${left}; ${sql}`);
}

/** In a list of statements each would have a statement timeout of its own; a DO block has one for the sum. */
function inOneStatement(statements: readonly string[]): string {
  return `do ${quoteLiteral(`begin\n${statements.join('\n')}\nend`)}`;
}
