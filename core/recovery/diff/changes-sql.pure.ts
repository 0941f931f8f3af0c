import { quoteIdentifier, quoteList, quoteQualified } from '../../../database';
import type { PlanTable } from '../slice/plan-types';
import { claimedBy, joinColumns, type TableLookup } from '../slice/predicate.pure';
import { changesTable, stageTable } from '../slice/restore-tables.pure';
import type { RestoreModes } from '../types';
import { IMAGE_COLUMN, imageDigest, mayDiffer, rowHash } from './image.pure';

/**
 * The table of changes of one slice table. Its columns:
 *
 *   chronawflow_op           'i' insert, 'u' update, 'd' delete
 *   chronawflow_before       SHA-256 of the live row's image, NULL for an insert
 *   chronawflow_after        SHA-256 of the staged row's image, NULL for a delete and where `allStagedRows` made the table
 *   chronawflow_before_hash  64-bit hash of the live row, NULL for an insert
 *   chronawflow_after_hash   64-bit hash of the staged row, NULL for a delete
 *   chronawflow_skip         a decision keeps this row out of the merge
 *   chronawflow_rewrite      the merge deletes and inserts this row again instead of updating it
 *   chronawflow_mapped       columns that a decision gave another value, NULL for none
 *
 * then for a table with a key its key columns under their own names, which the prefix keeps apart from these; for one
 * without, where the live row is (`live_part`, `live_row`) and where the staged one (`staged_row`).
 */
export const CHANGE_OPS = ['i', 'u', 'd'] as const;
export type ChangeOp = (typeof CHANGE_OPS)[number];

export interface ChangesQuery {
  readonly restoreId: string;
  readonly table: PlanTable;
  /** Compares only the rows that this merged restore wrote. */
  readonly undoOf?: string;
  readonly modes: RestoreModes;
  /** SQL of type text. */
  readonly tenant: string;
  readonly lookup: TableLookup;
}

/** SELECT of all changes between staging and the live slice. */
export function selectChanges(query: ChangesQuery): string {
  const ops = [
    query.modes.create ? `'i'` : '',
    query.modes.update ? `'u'` : '',
    query.modes.delete ? `'d'` : '',
  ].filter(Boolean);
  const all =
    query.table.key.length > 0
      ? keyedChanges(query)
      : query.undoOf === undefined
        ? keylessChanges(query)
        : keylessUndo(query, query.undoOf);
  return `select *, false as chronawflow_skip, false as chronawflow_rewrite, null::text[] as chronawflow_mapped from (${all}) changes
    where chronawflow_op in (${ops.length > 0 ? ops.join(', ') : 'null'}) and (chronawflow_op <> 'u' or chronawflow_before <> chronawflow_after)`;
}

/**
 * SELECT of the changes of a table of which the tenant has nothing any more: all staged rows come back. The approved hash
 * takes the staged rows' own digest for them, so that none has to be hashed and sorted by itself.
 */
export function allStagedRows(query: StagedQuery): string {
  return allStaged(query, '');
}

/** The same as a view's: with the place of each row, by which conflicts are counted. */
export function allStagedView(query: StagedQuery): string {
  return allStaged(query, 's.ctid, ');
}

type StagedQuery = Pick<ChangesQuery, 'restoreId' | 'table'>;

function allStaged({ restoreId, table }: StagedQuery, place: string): string {
  return `select ${place}${plainInsert(quoteList(table.key, 's.'), rowHash(table.columns, 's'))}
    from ${stageTable(restoreId, table)} s`;
}

/** The columns of an insert that nothing was decided about, whose image is in no digest of its own. */
export function plainInsert(key: string, hash: string): string {
  return `'i' as chronawflow_op, ${key}, null::bytea as chronawflow_before, null::bytea as chronawflow_after,
      null::bigint as chronawflow_before_hash, ${hash} as chronawflow_after_hash,
      false as chronawflow_skip, false as chronawflow_rewrite, null::text[] as chronawflow_mapped`;
}

function keyedChanges(query: ChangesQuery): string {
  const { restoreId, table } = query;
  const [first = ''] = table.key;
  const inStage = `s.${quoteIdentifier(first)} is not null`;
  const inLive = `l.${quoteIdentifier(first)} is not null`;
  const keys = table.key.map((name) => {
    const quoted = quoteIdentifier(name);
    return `coalesce(s.${quoted}, l.${quoted}) as ${quoted}`;
  });
  return `select case when not (${inLive}) then 'i' when not (${inStage}) then 'd' else 'u' end as chronawflow_op,
      ${keys.join(', ')},
      case when ${inLive} then ${imageDigest(table.columns, 'l')} end as chronawflow_before,
      case when ${inStage} then ${imageDigest(table.columns, 's')} end as chronawflow_after,
      case when ${inLive} then ${rowHash(table.columns, 'l')} end as chronawflow_before_hash,
      case when ${inStage} then ${rowHash(table.columns, 's')} end as chronawflow_after_hash
    from ${stageTable(restoreId, table)} s
    full join (${liveRows(query)}) l on ${joinColumns(table.key, table.key, 's', 'l')}
    where not (${inLive}) or not (${inStage}) or ${mayDiffer(table.columns, 's', 'l')}`;
}

/** Rows without a key are matched as a multiset: the n-th row of an image with the n-th staged row of that image. */
function keylessChanges({ restoreId, table, tenant, lookup }: ChangesQuery): string {
  const image = quoteIdentifier(IMAGE_COLUMN);
  return `select case when l.live_row is null then 'i' else 'd' end as chronawflow_op,
      l.image as chronawflow_before, s.image as chronawflow_after, l.hash as chronawflow_before_hash, s.hash as chronawflow_after_hash,
      l.live_part, l.live_row, s.staged_row
    from (select t.${image} as image, ${rowHash(table.columns, 't')} as hash, t.ctid as staged_row, row_number() over (partition by t.${image}) as nth
      from ${stageTable(restoreId, table)} t) s
    full join (select r.image, r.hash, r.live_part, r.live_row, row_number() over (partition by r.image) as nth
      from (select ${imageDigest(table.columns, 't')} as image, ${rowHash(table.columns, 't')} as hash, t.tableoid as live_part, t.ctid as live_row
        from ${quoteQualified(table)} t where ${claimedBy(table, 't', tenant, restoreId, lookup)}) r) l
      on s.image = l.image and s.nth = l.nth
    where l.live_row is null or s.staged_row is null`;
}

/** Takes away as many rows of each image as the undone restore inserted, and puts back every row that it deleted. */
function keylessUndo({ restoreId, table, tenant, lookup }: ChangesQuery, undoOf: string): string {
  const image = quoteIdentifier(IMAGE_COLUMN);
  return `select 'd' as chronawflow_op, r.before as chronawflow_before, null::bytea as chronawflow_after,
      r.hash as chronawflow_before_hash, null::bigint as chronawflow_after_hash, r.live_part, r.live_row, null::tid as staged_row
    from (select ${imageDigest(table.columns, 't')} as before, ${rowHash(table.columns, 't')} as hash, ${imageDigest(table.writtenColumns ?? table.columns, 't')} as written,
        row_number() over (partition by ${imageDigest(table.writtenColumns ?? table.columns, 't')}) as nth, t.tableoid as live_part, t.ctid as live_row
      from ${quoteQualified(table)} t where ${claimedBy(table, 't', tenant, restoreId, lookup)}) r
    join (select k.chronawflow_after, count(*) as inserted from ${changesTable(undoOf, table)} k where k.chronawflow_op = 'i' and not k.chronawflow_skip group by k.chronawflow_after) w
      on r.written = w.chronawflow_after and r.nth <= w.inserted
    union all
    select 'i', null, s.${image}, null, ${rowHash(table.columns, 's')}, null, null, s.ctid from ${stageTable(restoreId, table)} s`;
}

/** The tenant's live rows, reduced to the columns that both sides have; in an undo, to the rows that were written. */
function liveRows({ table, tenant, restoreId, lookup, undoOf }: ChangesQuery): string {
  const columns = quoteList(
    table.columns.map((column) => column.name),
    't.',
  );
  const written =
    undoOf === undefined
      ? ''
      : ` and exists (select from ${changesTable(undoOf, table)} k where not k.chronawflow_skip and ${joinColumns(table.key, table.key, 'k', 't')})`;
  return `select ${columns} from ${quoteQualified(table)} t where ${claimedBy(table, 't', tenant, restoreId, lookup)}${written}`;
}
