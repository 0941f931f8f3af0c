import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Sessions } from '../sessions';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import type { ConflictDecision } from '../types';
import type { ChangeGroup } from './change-groups.pure';
import { type ChangesKind, changesName } from './changes-name.pure';
import { decidesNothing } from './compute-changes';
import { type AllGroups, groupsOf } from './group-changes';

/**
 * Rows of one aggregate, which builds up to 64 bytes for each: far below PostgreSQL's limit of 1 GB for a value, and
 * within what a backend may hold for a moment.
 */
const ROWS_AT_ONCE = 2_000_000;

/**
 * The hash that is approved: SHA-256 over the schema's hash and, table by table and operation by operation, over both
 * images of every change in their own order. Images are 32 bytes each, so their concatenation is unambiguous under its
 * operation. Skipped changes are a group of their own: to skip a row is to approve something else. Where all staged rows
 * are inserted, the digest of what was staged stands for them.
 */
export async function diffHash(
  sessions: Sessions,
  restoreId: string,
  plan: SlicePlan,
  kind: ChangesKind,
  groups: AllGroups,
  decisions: readonly ConflictDecision[],
): Promise<string> {
  const parts = plan.tables.flatMap((table) => groupsOf(groups, table).map((group) => ({ table, group })));
  // A mapped row is not what was staged.
  const asStaged = decidesNothing(decisions);
  const digests = await sessions.each(parts, (tx, { table, group }) =>
    groupDigest(tx, changesName(kind, restoreId, table), group, asStaged ? table : undefined),
  );
  const hash = createHash('sha256').update(
    `chronawflow diff 2\n${plan.schemaHash}\n${JSON.stringify(plan.tenant)}\n`,
  );
  parts.forEach(({ table, group }, i) => {
    hash.update(`${describe(table, group)} ${digests[i]}\n`);
  });
  return hash.digest('hex');
}

async function groupDigest(
  tx: ClientBase,
  changes: string,
  group: ChangeGroup,
  staged: PlanTable | undefined,
): Promise<string> {
  if (staged?.stagedImage !== undefined && group.op === 'i' && group.count === staged.stagedRows)
    return `staged ${staged.stagedImage.sha256}`;
  return (await rangeDigests(tx, changes, group)).join(' ');
}

/** One digest for each range of the images' first byte; the number of ranges follows from the number of changes alone. */
async function rangeDigests(
  tx: ClientBase,
  changes: string,
  { op, skip, count }: ChangeGroup,
): Promise<string[]> {
  const images = {
    i: 'chronawflow_after',
    d: 'chronawflow_before',
    u: 'chronawflow_before || chronawflow_after',
  }[op];
  const ranges = Math.min(256, Math.ceil(count / ROWS_AT_ONCE));
  const digests: string[] = [];
  for (let range = 0; range < ranges; range++) {
    const [from, to] = [Math.floor((256 * range) / ranges), Math.floor((256 * (range + 1)) / ranges)];
    const { rows } = await tx.query<{ digest: string | null }>(
      `select encode(sha256(string_agg(images, ''::bytea order by images)), 'hex') as digest
       from (select ${images} as images from ${changes} where chronawflow_op = $1 and chronawflow_skip = $2) changes
       where $3 and get_byte(images, 0) >= $4 and get_byte(images, 0) < $5 or not $3`,
      [op, skip, ranges > 1, from, to],
    );
    digests.push(rows[0]?.digest ?? 'none');
  }
  return digests;
}

function describe(table: PlanTable, { op, skip, count }: ChangeGroup): string {
  return `${JSON.stringify(`${table.schema}.${table.name}`)} ${op} ${skip} ${count}`;
}
