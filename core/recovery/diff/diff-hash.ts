import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { SlicePlan } from '../slice/plan-types';
import { type ChangesKind, changesName } from './compute-changes';

/**
 * The hash that is approved: SHA-256 over the schema's hash and, table by table, over every change's operation, both
 * images and whether it is skipped. Rows are ordered by their own digest, in 256 buckets, so that no aggregate grows
 * with the slice beyond a few megabytes.
 */
export async function diffHash(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  kind: ChangesKind,
): Promise<string> {
  const hash = createHash('sha256').update(
    `chronawflow diff 1\n${plan.schemaHash}\n${JSON.stringify(plan.tenant)}\n`,
  );
  for (const table of plan.tables) {
    const { rows } = await tx.query<{ digest: string | null }>(`
      select encode(sha256(string_agg(part, ''::bytea order by bucket)), 'hex') as digest from (
        select get_byte(row_digest, 0) as bucket, sha256(string_agg(row_digest, ''::bytea order by row_digest)) as part from (
          select sha256(convert_to(op || skip::text, 'UTF8') || coalesce(before, '\\x00') || coalesce(after, '\\x00')) as row_digest
          from ${changesName(kind, restoreId, table)}) digests
        group by 1) buckets`);
    hash.update(`${JSON.stringify(`${table.schema}.${table.name}`)} ${rows[0]?.digest ?? 'no changes'}\n`);
  }
  return hash.digest('hex');
}
