import type { Pool } from 'pg';

/** Whether a restore may still need its scratch cluster, by the record that decides about it. */
export async function isActiveRestore(application: Pool, restoreId: string): Promise<boolean> {
  const { rows } = await application.query<{ active: boolean }>(
    'select exists (select from chronawflow.restore where id = $1 and closed_at is null) as active',
    [restoreId],
  );
  return rows[0]?.active ?? false;
}
