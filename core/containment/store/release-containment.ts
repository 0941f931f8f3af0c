import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import type { Authorize } from './open-containment';

/**
 * Brings a containment's end forward to now: nothing of it is renewed from then on. One that has ended stays as it is.
 *
 * @param authorize called in the same transaction
 */
export async function releaseContainment(platform: Pool, id: string, authorize: Authorize): Promise<void> {
  await inTransaction(platform, async (tx) => {
    await tx.query(
      `update chronawflow.containment set ends_at = least(ends_at, clock_timestamp())
       where id = $1 and state <> 'ended'`,
      [id],
    );
    await authorize(tx);
  });
}
