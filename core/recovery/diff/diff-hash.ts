import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { SlicePlan } from '../slice/plan-types';
import { type ChangesKind, changesName } from './compute-changes';

/**
 * The hash that is approved: SHA-256 over the schema's hash and, table by table, over every change's operation, both
 * images and whether it is skipped. Images are 32 bytes each, so their concatenation is unambiguous under its operation;
 * rows are ordered by them in up to 256 buckets an operation, so that no aggregate grows beyond a few megabytes.
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
      select encode(sha256(string_agg(part, ''::bytea order by op, skip, bucket)), 'hex') as digest from (
        select op, skip, get_byte(coalesce(after, before), 0) as bucket,
          sha256(convert_to(op || skip::text, 'UTF8') || string_agg(images, ''::bytea order by images)) as part
        from (select chronawflow_op as op, chronawflow_skip as skip, chronawflow_before as before, chronawflow_after as after, coalesce(chronawflow_before, '') || coalesce(chronawflow_after, '') as images
          from ${changesName(kind, restoreId, table)}) changes
        group by 1, 2, 3) buckets`);
    hash.update(`${JSON.stringify(`${table.schema}.${table.name}`)} ${rows[0]?.digest ?? 'no changes'}\n`);
  }
  return hash.digest('hex');
}
