import { quoteIdentifier } from '../../../database';
import { type CatalogTable, type ForeignKey, tableName } from '../slice/catalog-types';
import type { PlanColumn, PlanTable } from '../slice/plan-types';
import type { ConflictDecision, ConflictKind, MappingRule } from '../types';
import { isSensitive } from './sensitive-columns.pure';

/**
 * The decision `map`: rows in conflict are written with another value in one column. It changes the staged row, before
 * the hash, the digests and the preview are made of it; so what is approved, written, proved and undone is the mapped row,
 * and everything that holds for a row of the target holds for it. What could reach outside the row is refused here.
 */
export type MapDecision = Extract<ConflictDecision, { readonly decision: 'map' }>;

/** What a mapping is judged by. */
export interface MappingScope {
  readonly table: PlanTable;
  readonly live: CatalogTable;
  /** `schema.table` of every table whose rows the tenant may reference: those of its slice and the shared ones. */
  readonly referable: ReadonlySet<string>;
  /** `recovery.sensitiveColumns` */
  readonly sensitive: readonly string[];
}

/** No column has two rules for one kind of conflict. */
export function mappingsOnce(decisions: readonly ConflictDecision[]): boolean {
  const keys = decisions
    .filter((one) => one.decision === 'map')
    .map((one) => JSON.stringify([one.table, one.kind, one.column]));
  return new Set(keys).size === keys.length;
}

/** The mapping that can resolve a conflict of this kind whose reason are values of these columns. */
export function mappingFor(
  decisions: readonly ConflictDecision[],
  table: string,
  kind: ConflictKind,
  columns: readonly string[],
): MapDecision | undefined {
  return mappingsOf(decisions, table).find((one) => one.kind === kind && columns.includes(one.column));
}

export function mappingsOf(decisions: readonly ConflictDecision[], table: string): MapDecision[] {
  return decisions.filter((one): one is MapDecision => one.decision === 'map' && one.table === table);
}

/** As `--decide` takes it: `email=suffix:-restored`. */
export function describeMapping({
  column,
  rule,
}: {
  readonly column: string;
  readonly rule: MappingRule;
}): string {
  return `${column}=${rule.kind === 'null' ? 'null' : `${rule.kind}:${rule.text}`}`;
}

/** Why a mapping is refused, as the end of a sentence; undefined when it may be done. */
export function refusedBecause(map: MapDecision, scope: MappingScope): string | undefined {
  const { table, live } = scope;
  const column = table.columns.find((one) => one.name === map.column);
  if (table.key.length === 0) return 'the table has no key by which a row could be followed';
  if (column === undefined) return 'it is no column that both the target and the live table have';
  if (table.key.includes(column.name))
    return 'it is part of the key, by which other rows and other systems know the row';
  if (ownerColumns(table).includes(column.name)) return 'it decides to whom the row belongs';
  if (table.forward.includes(column.name)) return 'it is declared to move forward only';
  if (column.identityAlways) return 'it is an identity that is always generated';
  const keys = live.foreignKeys.filter((key) => key.columns.includes(column.name));
  return withoutCause(map, live, keys) ?? unfit(map, column, scope) ?? badReference(map, keys, scope);
}

/** A rule for a conflict that the column cannot be the reason of would never be used, and so hide a slip. */
function withoutCause(map: MapDecision, live: CatalogTable, keys: readonly ForeignKey[]): string | undefined {
  if (map.kind === 'parent-missing' && keys.length === 0) return 'it is part of no foreign key';
  const unique = [...live.uniques, ...live.exclusions].some((one) => one.dependsOn.includes(map.column));
  if (map.kind === 'unique-taken' && !unique) return 'no unique index or exclusion constraint reads it';
  return undefined;
}

function unfit({ rule }: MapDecision, column: PlanColumn, scope: MappingScope): string | undefined {
  switch (rule.kind) {
    case 'null':
      return column.notNull ? 'it is NOT NULL' : undefined;
    case 'prefix':
    case 'suffix':
      return isText(column) ? undefined : `a ${rule.kind} needs a text, and it is of type ${column.type}`;
    case 'value':
      return isSensitive(scope.sensitive, scope.table, column.name)
        ? 'it is listed as sensitive, and a fixed value would stand in the history of the workflow; use prefix, suffix or null'
        : undefined;
  }
}

/** A reference may only be led to a row of the same tenant or to one that belongs to all. */
function badReference(
  { rule }: MapDecision,
  keys: readonly ForeignKey[],
  { referable }: MappingScope,
): string | undefined {
  for (const key of keys) {
    if (rule.kind === 'null') {
      if (key.match === 'full' && key.columns.length > 1)
        return `${key.name} is MATCH FULL over several columns`;
    } else if (!referable.has(tableName(key.parent))) {
      return `it references ${tableName(key.parent)}, of which it is not known whose rows are whose`;
    }
  }
  return undefined;
}

/** Columns that lead from a row to its tenant. */
function ownerColumns({ attribution }: PlanTable): readonly string[] {
  switch (attribution.kind) {
    case 'tenant-table':
    case 'column':
      return [attribution.column];
    case 'path':
      return attribution.columns;
    case 'schema':
      return [];
  }
}

/** Types to which text can be assigned as it is; char(n) is none, its blanks would come into the middle. */
function isText({ storageType }: PlanColumn): boolean {
  return /^(text|character varying(\(\d+\))?|(\S+\.)?citext)$/.test(storageType);
}

/**
 * The new value as SQL for an assignment to the staged column, and the parameter it needs, if any. Texts are assigned,
 * not cast: a cast to varchar(n) would cut off in silence what an assignment refuses.
 */
export function mappedValue(
  rule: MappingRule,
  column: PlanColumn,
  staged: string,
  parameter: string,
): { readonly sql: string; readonly values: readonly string[] } {
  const own = `${staged}.${quoteIdentifier(column.name)}::text`;
  switch (rule.kind) {
    case 'null':
      return { sql: 'null', values: [] };
    case 'prefix':
      return { sql: `${parameter}::text || ${own}`, values: [rule.text] };
    case 'suffix':
      return { sql: `${own} || ${parameter}::text`, values: [rule.text] };
    case 'value':
      return {
        sql: isText(column) ? `${parameter}::text` : `${parameter}::text::${column.storageType}`,
        values: [rule.text],
      };
  }
}
