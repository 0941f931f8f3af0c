import type { PoolClient } from 'pg';
import { PayloadKeyDestroyedError } from '../errors/payload-key-destroyed-error';
import type { PayloadOwner } from '../types';

/**
 * Until the transaction ends nobody begins to destroy the owner's keys. Makes the owner where there is none.
 *
 * @throws PayloadKeyDestroyedError when somebody has begun
 */
export async function lockActive(tx: PoolClient, owner: PayloadOwner): Promise<void> {
  await tx.query('insert into chronawflow.payload_owner (owner) values ($1) on conflict do nothing', [owner]);
  const { rows } = await tx.query<{ state: 'active' | 'closing' | 'destroyed' }>(
    'select state from chronawflow.payload_owner where owner = $1 for update',
    [owner],
  );
  const state = rows[0]?.state ?? 'destroyed';
  if (state !== 'active') throw new PayloadKeyDestroyedError(owner, state);
}
