import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { isLockFailure } from './lock-failure';

/** Time over deadlock_timeout in which the interrupted worker lets go of its lock. */
const LETTING_GO_MS = 500;

/**
 * Makes the server end an autovacuum of the table, which it does for whoever waits behind it for deadlock_timeout. That is
 * longer than a try may last, so it is not the try that waits: this asks for SHARE UPDATE EXCLUSIVE, which the worker holds
 * as well, and which lets everybody read and write while we stand in the queue. A vacuum against transaction ID wraparound
 * does not give way.
 *
 * @param table `schema.table` as pg_locks shows it; a partition has a name of its own there.
 */
export async function interruptAutovacuum(
  pool: Pool,
  table: string,
  deadlockTimeoutMs: number,
): Promise<void> {
  try {
    await inTransaction(
      pool,
      async (tx) => {
        const { rows } = await tx.query<{ name: string }>(
          `select format('%I.%I', n.nspname, c.relname) as name
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname || '.' || c.relname = $1`,
          [table],
        );
        for (const { name } of rows) await tx.query(`lock table only ${name} in share update exclusive mode`);
      },
      { lockTimeoutMs: deadlockTimeoutMs + LETTING_GO_MS },
    );
  } catch (error) {
    // It did not give way: the next look finds it again, and the last one names it in FREEZE_BLOCKED.
    if (!isLockFailure(error)) throw error;
  }
}
