import type { TableAttribution } from '../types';
import {
  type AttributedTable,
  type Attribution,
  type AttributionRules,
  brokenPaths,
} from './attribution.pure';
import { copiesInBinary } from './binary-copy.pure';
import {
  type Catalog,
  type CatalogColumn,
  type CatalogTable,
  tableName,
  type UniqueIndex,
} from './catalog-types';
import type { PlanColumn, PlanDrift, PlanTable, SlicePlan } from './plan-types';

export interface PlanInput {
  readonly tenant: string;
  readonly live: Catalog;
  readonly attribution: Attribution;
  /** Schema of the target; for an undo, which has no scratch cluster, the live one. */
  readonly target: Catalog;
  readonly rules: AttributionRules;
  readonly forward: Readonly<Record<string, readonly string[]>>;
  readonly schemaHash: string;
  /** Schemas of the slice. */
  readonly schemas: readonly string[];
}

/** Decides which columns of which tables are staged and compared, and names what changed in the schema since. */
export function planSlice(input: PlanInput): SlicePlan {
  const drift: PlanDrift[] = [];
  const notices: string[] = [];
  const tables: PlanTable[] = [];
  for (const attributed of input.attribution.slice) {
    const name = tableName(attributed.table);
    const then = input.target.tables.find((one) => tableName(one) === name);
    if (then === undefined) {
      notices.push(`${name} did not exist at the target; its rows stay as they are`);
      continue;
    }
    const missing = missingWay(attributed, then, tables);
    if (missing !== undefined) {
      drift.push({ table: name, kind: 'schema-changed', message: missing });
      continue;
    }
    tables.push(planTable(attributed, then, tables.length + 1, input, drift));
  }
  const kept = new Set(input.live.tables.map(tableName));
  for (const table of input.target.tables) {
    if (!kept.has(tableName(table)))
      notices.push(
        `${tableName(table)} existed at the target and does not any more; its rows cannot come back`,
      );
  }
  for (const table of tables.filter((one) => one.nullableOwner && one.key.length === 0)) {
    notices.push(
      `${tableName(table)} has no key: rows that lost their owner since the target come back beside their orphans`,
    );
  }
  if (input.live.materializedViews.length > 0) {
    notices.push(`materialized views are not refreshed: ${input.live.materializedViews.join(', ')}`);
  }
  if (input.live.publications.length > 0) {
    notices.push(`the merge is sent to the subscribers of: ${input.live.publications.join(', ')}`);
  }
  if (input.live.logicalSlots.length > 0) {
    notices.push(`the merge is decoded by the readers of the slots: ${input.live.logicalSlots.join(', ')}`);
  }
  const searchPath = [...new Set([...input.schemas, ...input.live.operatorSchemas])];
  return { tenant: input.tenant, schemaHash: input.schemaHash, searchPath, tables, drift, notices };
}

/** Problems that make a plan impossible, for one error that lists them all. */
export function planProblems(
  attribution: Attribution,
): readonly { readonly table: string; readonly reason: string; readonly overrides: readonly string[] }[] {
  const unlogged = attribution.slice
    .filter(({ table }) => table.unlogged)
    .map(({ table }) => ({
      table: tableName(table),
      reason: 'it or one of its partitions is unlogged, so no backup has its rows',
      overrides: [`${tableName(table)}: { mode: exclude }`],
    }));
  const rules = attribution.slice
    .filter(({ table }) => table.hasRules)
    .map(({ table }) => ({
      table: tableName(table),
      reason: 'it has rewrite rules, which would turn the merge into something else',
      overrides: [],
    }));
  const inherited = attribution.slice
    .filter(({ table }) => table.inherits)
    .map(({ table }) => ({
      table: tableName(table),
      reason: 'it takes part in table inheritance, so its rows would be counted in more than one table',
      overrides: [`${tableName(table)}: { mode: exclude }`],
    }));
  const deferrables = attribution.slice
    .filter(({ table }) => table.partitionDeferrables.length > 0)
    .map(({ table }) => ({
      table: tableName(table),
      reason: `single partitions have deferrable constraints of their own (${table.partitionDeferrables.join(', ')}), which the merge cannot prove`,
      overrides: [],
    }));
  return [
    ...attribution.problems,
    ...brokenPaths(attribution),
    ...unlogged,
    ...rules,
    ...inherited,
    ...deferrables,
  ];
}

/** Why the tenant's rows of this table cannot be told from others at the target, or undefined. */
function missingWay(
  { table, attribution }: AttributedTable,
  then: CatalogTable,
  planned: readonly PlanTable[],
): string | undefined {
  const name = tableName(table);
  const lacking = ownerColumns(attribution).filter(
    (column) => !then.columns.some((one) => one.name === column),
  );
  if (lacking.length > 0)
    return `${name}.${lacking.join(', ')} leads to the tenant and did not exist at the target; its rows stay as they are`;
  if (attribution.kind === 'path' && !planned.some((one) => tableName(one) === attribution.parent))
    return `${name} leads to the tenant through ${attribution.parent}, which cannot be read at the target; its rows stay as they are`;
  return undefined;
}

function ownerColumns(attribution: TableAttribution): readonly string[] {
  switch (attribution.kind) {
    case 'path':
      return attribution.columns;
    case 'column':
    case 'tenant-table':
      return [attribution.column];
    case 'schema':
      return [];
  }
}

function planTable(
  attributed: AttributedTable,
  then: CatalogTable,
  n: number,
  input: PlanInput,
  drift: PlanDrift[],
): PlanTable {
  const { table, attribution, depth } = attributed;
  const name = tableName(table);
  const writable = table.columns.filter((column) => !column.generated);
  const thenByName = new Map(then.columns.map((column) => [column.name, column]));
  const columns = writable.filter((column) => {
    const old = thenByName.get(column.name);
    if (old === undefined) return false;
    const reason = columnDrift(column, old, input.live, input.target);
    if (reason !== undefined)
      drift.push({ table: name, kind: 'schema-changed', message: `${name}.${column.name}: ${reason}` });
    return reason === undefined;
  });
  const key = keyOf(table, new Set(columns.map((column) => column.name)));
  const owner = table.columns.find((column) => 'column' in attribution && column.name === attribution.column);
  const ownerThen = owner === undefined ? undefined : thenByName.get(owner.name);
  return {
    n,
    oid: table.oid,
    schema: table.schema,
    name: table.name,
    attribution,
    depth,
    stagedRows: 0,
    ...(owner === undefined ? {} : { ownerType: owner.type }),
    ...(ownerThen === undefined || ownerThen.type === owner?.type
      ? {}
      : { ownerTypeAtTarget: ownerThen.type }),
    nullableOwner:
      attribution.kind !== 'tenant-table' &&
      ownerColumns(attribution).some((column) =>
        table.columns.some((one) => one.name === column && !one.notNull),
      ),
    key,
    columns: columns.map(planColumn),
    binaryCopy: copiesInBinary(columns),
    liveColumns: writable.map(planColumn),
    addedColumns: writable.filter((column) => !thenByName.has(column.name)).map((column) => column.name),
    droppedColumns: then.columns
      .filter((column) => !table.columns.some((one) => one.name === column.name))
      .map((column) => column.name),
    forward: (input.forward[name] ?? input.forward[`*.${table.name}`] ?? []).filter((column) =>
      columns.some((one) => one.name === column),
    ),
  };
}

/** Why the column's old values cannot be written into today's column, or undefined. */
function columnDrift(
  now: CatalogColumn,
  then: CatalogColumn,
  live: Catalog,
  target: Catalog,
): string | undefined {
  if (then.generated) return 'it was a generated column at the target and is an ordinary one now';
  if (now.type !== then.type) return `its type was ${then.type} at the target and is ${now.type} now`;
  const labels = target.enums[unqualified(now.type)];
  if (labels !== undefined) {
    const today = live.enums[unqualified(now.type)] ?? [];
    const gone = labels.filter((label) => !today.includes(label));
    if (gone.length > 0)
      return `its type ${now.type} has lost the value(s) ${gone.join(', ')} since the target`;
  }
  return undefined;
}

/** `public."InvoiceStatus"` as the catalog's dictionary spells it: without quotes and array brackets. */
export function unqualified(type: string): string {
  return type.replaceAll('"', '').replace(/\[\]$/, '');
}

/** Primary key, else the first unique index that can stand for one: plain, complete, immediate, without NULL. */
function keyOf(table: CatalogTable, present: ReadonlySet<string>): readonly string[] {
  const usable = (columns: readonly string[] | undefined): columns is readonly string[] =>
    columns?.every((name) => present.has(name)) ?? false;
  if (usable(table.primaryKey)) return table.primaryKey;
  const notNull = (name: string) => table.columns.some((column) => column.name === name && column.notNull);
  const stands = (unique: UniqueIndex) =>
    unique.predicate === undefined &&
    !unique.deferrable &&
    usable(unique.columns) &&
    unique.columns.every(notNull);
  return table.uniques.find(stands)?.columns ?? [];
}

function planColumn(column: CatalogColumn): PlanColumn {
  return {
    name: column.name,
    type: column.type,
    storageType: column.storageType,
    exactEquality: column.exactEquality,
    notNull: column.notNull,
    identityAlways: column.identity === 'always',
    ...(column.sequence === undefined ? {} : { sequence: column.sequence }),
  };
}
