import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { CHANGE_OPS, type ChangeOp } from './changes-sql.pure';
import { type ChangesKind, changesName } from './compute-changes';

/**
 * Rows of one aggregate, which builds up to 64 bytes for each: far below PostgreSQL's limit of 1 GB for a value, and
 * within what a backend may hold for a moment.
 */
const ROWS_AT_ONCE = 2_000_000;

interface Group {
  readonly op: ChangeOp;
  readonly skip: boolean;
  readonly count: number;
}

/**
 * The hash that is approved: SHA-256 over the schema's hash and, table by table and operation by operation, over both
 * images of every change in their own order. Images are 32 bytes each, so their concatenation is unambiguous under its
 * operation. Skipped changes are a group of their own: to skip a row is to approve something else.
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
    for (const group of await groupsOf(tx, changesName(kind, restoreId, table))) {
      const digests = await groupDigests(tx, changesName(kind, restoreId, table), group);
      hash.update(`${describe(table, group)} ${digests.join(' ')}\n`);
    }
  }
  return hash.digest('hex');
}

async function groupsOf(tx: ClientBase, changes: string): Promise<Group[]> {
  const { rows } = await tx.query<{ op: ChangeOp; skip: boolean; count: string }>(
    `select chronawflow_op as op, chronawflow_skip as skip, count(*) as count from ${changes} group by 1, 2`,
  );
  const groups = rows.map((row) => ({ ...row, count: Number(row.count) }));
  return groups.sort(
    (a, b) => CHANGE_OPS.indexOf(a.op) - CHANGE_OPS.indexOf(b.op) || Number(a.skip) - Number(b.skip),
  );
}

/** One digest for each range of the images' first byte; the number of ranges follows from the number of changes alone. */
async function groupDigests(tx: ClientBase, changes: string, { op, skip, count }: Group): Promise<string[]> {
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

function describe(table: PlanTable, { op, skip, count }: Group): string {
  return `${JSON.stringify(`${table.schema}.${table.name}`)} ${op} ${skip} ${count}`;
}
