import { inTransaction, quoteIdentifier, quoteList, quoteQualified } from '../../../database';
import { InvalidInputError } from '../../errors';
import type { RecoveryContext } from '../engine';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { loadRecord } from '../record/restore-record';
import { tableName } from '../slice/catalog-types';
import { indexStage } from '../slice/index-stage';
import type { PlanColumn, PlanTable } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { previewTable, stageTable } from '../slice/restore-tables.pure';
import type { ChangeOp } from './changes-sql.pure';
import { setImageSettings } from './image.pure';
import { isSensitive } from './sensitive-columns.pure';

export interface ChangedRow {
  readonly op: 'insert' | 'update' | 'delete';
  readonly skipped: boolean;
  /** Columns that a decision gave another value than the target's. */
  readonly mapped: readonly string[];
  /** Key columns as text; empty for a table without key. */
  readonly key: Readonly<Record<string, string | null>>;
  /** Columns whose image differs: what is there and what the merge would write. Sensitive values are `***`. */
  readonly columns: readonly {
    readonly name: string;
    readonly current: string | null;
    readonly restored: string | null;
  }[];
}

export interface ChangesPage {
  readonly tenant: string;
  readonly table: string;
  readonly rows: readonly ChangedRow[];
  /** Pass as `offset` for the next page; absent at the end. */
  readonly nextOffset?: number;
}

export interface PageRequest {
  readonly restoreId: string;
  /** `schema.table` as the preview prints it. */
  readonly table: string;
  readonly offset?: number;
  /** At most 500. */
  readonly limit?: number;
}

const OPS: Readonly<Record<ChangeOp, ChangedRow['op']>> = { i: 'insert', u: 'update', d: 'delete' };
const MASKED = '***';

/** Row images of one table's changes, in order of the key. They are read from the database and never enter a history. */
export async function pageChanges(ctx: RecoveryContext, request: PageRequest): Promise<ChangesPage> {
  const limit = Math.min(Math.max(1, request.limit ?? 50), 500);
  const offset = Math.max(0, request.offset ?? 0);
  const record = await loadRecord(ctx.application, request.restoreId);
  if (record.state !== 'active') throw new RestoreClosedError(record.id, record.state);
  const table = record.plan?.tables.find((one) => tableName(one) === request.table);
  if (table === undefined) {
    throw new InvalidInputError(`Restore ${request.restoreId} has no changes of a table ${request.table}.`, {
      hint: `Tables: ${record.plan?.tables.map(tableName).join(', ') ?? 'none yet'}`,
    });
  }
  const isMasked = (column: string) => isSensitive(ctx.config.recovery.sensitiveColumns, table, column);
  if (table.unindexed) await indexStage(ctx.application, request.restoreId, table);
  const rows = await inTransaction(
    ctx.application,
    async (tx) => {
      await tx.query(setImageSettings(record.plan?.searchPath ?? []));
      const { rows: found } = await tx.query<{
        op: ChangeOp;
        skip: boolean;
        mapped: string[] | null;
        key: Record<string, string | null>;
        current: (string | null)[] | null;
        restored: (string | null)[] | null;
      }>(pageQuery(request.restoreId, table), [limit + 1, offset]);
      return found;
    },
    { readOnly: true },
  );
  return {
    tenant: record.tenant,
    table: request.table,
    rows: rows.slice(0, limit).map((row) => ({
      op: OPS[row.op],
      skipped: row.skip,
      mapped: row.mapped ?? [],
      key: Object.fromEntries(
        Object.entries(row.key ?? {}).map(([name, value]) => [
          name,
          value !== null && isMasked(name) ? MASKED : value,
        ]),
      ),
      columns: differing(table.columns, row.current, row.restored, isMasked),
    })),
    ...(rows.length > limit ? { nextOffset: offset + limit } : {}),
  };
}

function pageQuery(restoreId: string, table: PlanTable): string {
  const [live, staged] =
    table.key.length > 0
      ? [joinColumns(table.key, table.key, 'l', 'c'), joinColumns(table.key, table.key, 's', 'c')]
      : ['l.ctid = c.live_row and l.tableoid = c.live_part', 's.ctid = c.staged_row'];
  const values = (alias: string) =>
    `array[${table.columns.map((column) => `${alias}.${quoteIdentifier(column.name)}::text`).join(', ')}]`;
  const key = table.key
    .map((name) => `'${name.replaceAll("'", "''")}', c.${quoteIdentifier(name)}::text`)
    .join(', ');
  return `select c.chronawflow_op as op, c.chronawflow_skip as skip, c.chronawflow_mapped as mapped, jsonb_build_object(${key}) as key,
      case when c.chronawflow_op <> 'i' then ${values('l')} end as current, case when c.chronawflow_op <> 'd' then ${values('s')} end as restored
    from ${previewTable(restoreId, table)} c
    left join ${quoteQualified(table)} l on c.chronawflow_op <> 'i' and ${live}
    left join ${stageTable(restoreId, table)} s on c.chronawflow_op <> 'd' and ${staged}
    order by ${table.key.length > 0 ? quoteList(table.key, 'c.') : 'c.live_part, c.live_row, c.staged_row'} limit $1 offset $2`;
}

function differing(
  columns: readonly PlanColumn[],
  current: readonly (string | null)[] | null,
  restored: readonly (string | null)[] | null,
  isMasked: (name: string) => boolean,
): ChangedRow['columns'] {
  return columns.flatMap(({ name }, i) => {
    const [before, after] = [current?.[i] ?? null, restored?.[i] ?? null];
    if (current !== null && restored !== null && before === after) return [];
    const show = (value: string | null) => (value === null ? null : isMasked(name) ? MASKED : value);
    return [{ name, current: show(before), restored: show(after) }];
  });
}
