import { quoteIdentifier, quoteList, quoteLiteral } from '../../../database';
import type { PlanTable } from '../slice/plan-types';
import { changesTable, packedTable, restoreTableName, stageTable } from '../slice/restore-tables.pure';
import { plainInsert } from './changes-sql.pure';
import { rowHash } from './image.pure';

/** Pages of staging that become one row: some 10,000 rows of the application's, far below what an array may hold. */
const PAGES = 100;

const HASH = 'chronawflow_after_hash';

/** Arrays of arrays would have to be of one length. */
export function isPackable({ key, columns }: PlanTable): boolean {
  return columns.every(({ name, storageType }) => !key.includes(name) || !storageType.endsWith('[]'));
}

/**
 * Statements that keep the changes of a table of which all staged rows come back: the keys as arrays, and a view that has
 * the columns of a table of changes (changes-sql.pure.ts). Beside a table with a row for each, 385,000 of them write 4 MB
 * of WAL instead of 46, in 0.28 s instead of 0.44.
 */
export function packChanges(restoreId: string, table: PlanTable): readonly string[] {
  const packed = packedTable(restoreId, table);
  const stage = stageTable(restoreId, table);
  const arrays = table.key.map((name) => `array_agg(s.${quoteIdentifier(name)}) as ${quoteIdentifier(name)}`);
  return [
    // One group a range of pages, read in their order: neither sorted nor hashed.
    `create table ${packed} as
       select packed.* from generate_series(0, pg_relation_size(${quoteLiteral(stage)}::regclass) / current_setting('block_size')::bigint, ${PAGES}) pages (first),
       lateral (select ${[...arrays, `array_agg(${rowHash(table.columns, 's')}) as ${HASH}`].join(', ')} from ${stage} s
         where s.ctid >= format('(%s,0)', pages.first)::tid and s.ctid < format('(%s,0)', pages.first + ${PAGES})::tid) packed
       where packed.${HASH} is not null`,
    `create view ${changesTable(restoreId, table)} as
       select ${plainInsert(quoteList(table.key, 'c.'), `c.${HASH}`)}
       from ${packed} p, unnest(${quoteList([...table.key, HASH], 'p.')}) c (${quoteList([...table.key, HASH])})`,
  ];
}

/** Statements that make a table of changes of them again, for an undo: the planner cannot tell how many rows arrays hold. */
export function unpackChanges(restoreId: string, table: PlanTable): readonly string[] {
  const changes = changesTable(restoreId, table);
  const packed = packedTable(restoreId, table);
  const old = quoteIdentifier(`${restoreTableName(restoreId, 'changes', table.n)}_of_packed`);
  return [
    `alter view ${changes} rename to ${old}`,
    `create table ${changes} as select * from chronawflow.${old}`,
    `drop view chronawflow.${old}`,
    `drop table ${packed}`,
    `analyze ${changes}`,
  ];
}
