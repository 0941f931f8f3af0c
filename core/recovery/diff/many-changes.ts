import type { ClientBase } from 'pg';

/** Above this many changes a nested loop over them is never the right plan, whatever stale statistics say. */
export const MANY_CHANGES = 20_000;

export async function hasManyChanges(tx: ClientBase, changes: string): Promise<boolean> {
  const { rows } = await tx.query<{ many: boolean }>(
    `select count(*) > ${MANY_CHANGES} as many from (select from ${changes} limit ${MANY_CHANGES + 1}) sample`,
  );
  return rows[0]?.many ?? false;
}
