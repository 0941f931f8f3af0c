import type { ClientBase, Pool } from 'pg';

/** @param relation its quoted name */
export async function relationExists(db: Pool | ClientBase, relation: string): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>('select to_regclass($1) is not null as found', [
    relation,
  ]);
  return rows[0]?.found ?? false;
}
