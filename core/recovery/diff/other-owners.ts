import type { ClientBase, Pool } from 'pg';
import { inTransaction, quoteIdentifier, quoteQualified } from '../../../database';
import { forbidTextIndexes } from '../slice/forbid-text-indexes';
import { joinColumns } from '../slice/predicate.pure';
import type { ConflictScope } from './conflict-queries.pure';
import { setImageSettings } from './image.pure';

const BATCH = 5_000;

/**
 * Invariant 9, seen from the target: a row that the tenant has now and had not at the target may have belonged to
 * somebody else then. Deleting it would be wrong, so the keys of all deletes are looked up in the scratch cluster.
 *
 * @returns a SELECT of the changes concerned (see conflict-queries), or undefined when there are none.
 */
export async function otherOwnersAtTarget(
  tx: ClientBase,
  scratch: Pool,
  scope: ConflictScope,
): Promise<string | undefined> {
  const { table, changes } = scope;
  const keys = table.key.map((name) => quoteIdentifier(name));
  const found = `chronawflow_other_owners_${table.n}`;
  let any = false;
  await tx.query(
    `declare deleted_keys no scroll cursor for select ctid::text as row_id, array[${keys.map((key) => `${key}::text`).join(', ')}] as key from ${changes} where chronawflow_op = 'd' and not chronawflow_skip`,
  );
  for (;;) {
    const { rows } = await tx.query<{ row_id: string; key: string[] }>(`fetch ${BATCH} from deleted_keys`);
    if (rows.length === 0) break;
    const there = await keysAtTarget(
      scratch,
      scope,
      rows.map((row) => row.key),
    );
    const others = rows.filter((row) => there.has(JSON.stringify(row.key))).map((row) => row.row_id);
    if (others.length === 0) continue;
    if (!any)
      await tx.query(
        `create temporary table if not exists ${found} (row_id tid) on commit drop; truncate ${found}`,
      );
    any = true;
    await tx.query(`insert into ${found} select unnest($1::text[])::tid`, [others]);
  }
  await tx.query('close deleted_keys');
  return any ? `select row_id from ${found} where $1::text is not null` : undefined;
}

/** Which of these keys exist at the target at all: the tenant's own were staged, so they are no deletes. */
async function keysAtTarget(
  scratch: Pool,
  { table, searchPath }: ConflictScope,
  keys: readonly (readonly string[])[],
): Promise<ReadonlySet<string>> {
  const types = table.key.map(
    (name) => table.columns.find((column) => column.name === name)?.storageType ?? 'text',
  );
  const wanted = table.key
    .map((name, i) => `w.c${i}::${types[i] ?? 'text'} as ${quoteIdentifier(name)}`)
    .join(', ');
  const columns = table.key.map((_, i) => `c${i}`).join(', ');
  const parameters = table.key.map((_, i) => `$${i + 1}::text[]`).join(', ');
  return inTransaction(
    scratch,
    async (tx) => {
      await tx.query(setImageSettings(searchPath));
      await forbidTextIndexes(tx, table);
      const { rows } = await tx.query<{ key: string[] }>(
        `select array[${table.key.map((name) => `k.${quoteIdentifier(name)}::text`).join(', ')}] as key from (select ${wanted} from unnest(${parameters}) w(${columns})) k
         join ${quoteQualified(table)} t on ${joinColumns(table.key, table.key, 't', 'k')}`,
        table.key.map((_, i) => keys.map((key) => key[i] ?? null)),
      );
      return new Set(rows.map((row) => JSON.stringify(row.key)));
    },
    { readOnly: true },
  );
}
