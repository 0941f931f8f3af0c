import type { Pool } from 'pg';
import type { PartState } from '../types';

/** How a part stands; `note` is for people. */
export async function notePart(
  platform: Pool,
  id: string,
  resource: string,
  state: PartState,
  note?: string,
): Promise<void> {
  await platform.query(
    `update chronawflow.containment_part set state = $3, note = $4 where containment = $1 and resource = $2`,
    [id, resource, state, note ?? null],
  );
}
