import type { Pool } from 'pg';
import { holdQueue } from '../effects';
import type { StepControl } from '../engine';
import { ScratchInvalidError } from '../errors/scratch-invalid-error';
import { connectScratch } from '../scratch';
import { pause } from '../target/pause';
import type { ScratchHandle } from '../types';

const LIMIT_MS = 60_000;
const POLL_MS = 100;

/**
 * Ends the recovery of a paused server; it goes on on a timeline of its own, with its queue of jobs held back. Nothing happens
 * when that was done before.
 */
export async function promote(cluster: ScratchHandle, control: StepControl): Promise<void> {
  const pool = connectScratch(cluster, { max: 1 });
  try {
    if (!(await inRecovery(pool))) return await holdQueue(pool, cluster.restoreId);
    await pool.query('select pg_promote(false)');
    const limit = Date.now() + LIMIT_MS;
    while (await inRecovery(pool)) {
      if (Date.now() > limit) {
        throw new ScratchInvalidError(cluster.restoreId, [
          `it is still in recovery ${LIMIT_MS / 1000} s after promotion`,
        ]);
      }
      control.progress?.({ step: 'promoting' });
      await pause(POLL_MS, control.signal);
    }
    await holdQueue(pool, cluster.restoreId);
  } finally {
    await pool.end();
  }
}

async function inRecovery(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering');
  return rows[0]?.recovering ?? true;
}
