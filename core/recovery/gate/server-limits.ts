import type { Pool } from 'pg';

/** How long a lock waiter of this server waits before it looks for a deadlock, or ends an autovacuum in its way. */
export async function readDeadlockTimeoutMs(pool: Pool): Promise<number> {
  // pg_settings gives it in the parameter's own unit, milliseconds.
  const { rows } = await pool.query<{ ms: string }>(
    `select setting as ms from pg_settings where name = 'deadlock_timeout'`,
  );
  const ms = Number(rows[0]?.ms);
  if (!Number.isFinite(ms)) throw new RangeError('the server does not say its deadlock_timeout');
  return ms;
}
