import type { TableAttribution } from '../types';
import type { Catalog, CatalogTable, ForeignKey } from './catalog-types';
import { tableName } from './catalog-types';

/**
 * Which tables belong to a tenant, and by what: a column, or a foreign key towards a table that has one. Never a guess:
 * a table that fits in no way, or in two, is a problem that names the override to write.
 */
export interface AttributionRules {
  readonly model: 'row' | 'schema';
  /** `schema.table` of the tenant table, its key, and the names of tenant columns elsewhere. */
  readonly table: string;
  readonly key: string;
  readonly columns: readonly string[];
  readonly overrides: Readonly<Record<string, AttributionOverride>>;
}

export interface AttributionOverride {
  readonly mode?: 'shared' | 'keep' | 'exclude';
  readonly path?: readonly string[];
  readonly column?: string;
}

export interface AttributionProblem {
  readonly table: string;
  readonly reason: string;
  /** YAML for `tenancy.overrides`, one line per way out. */
  readonly overrides: readonly string[];
}

export interface AttributedTable {
  readonly table: CatalogTable;
  readonly attribution: TableAttribution;
  /** Foreign keys between this table and one with a tenant column; 0 for that one itself. */
  readonly depth: number;
}

export interface Attribution {
  /** Parents before the tables that are reached through them. */
  readonly slice: readonly AttributedTable[];
  readonly shared: readonly CatalogTable[];
  readonly keep: readonly CatalogTable[];
  readonly excluded: readonly CatalogTable[];
  readonly problems: readonly AttributionProblem[];
}

export function attributeTables(catalog: Catalog, rules: AttributionRules): Attribution {
  const byMode = (mode: AttributionOverride['mode']) =>
    catalog.tables.filter((table) => overrideFor(rules, table)?.mode === mode && mode !== undefined);
  const candidates = catalog.tables.filter((table) => overrideFor(rules, table)?.mode === undefined);
  const settled = new Map<string, TableAttribution>();
  const problems: AttributionProblem[] = [...unknownOverrides(catalog, rules)];

  for (const table of candidates) {
    const direct = directAttribution(table, rules);
    if (direct.kind === 'attributed') settled.set(tableName(table), direct.attribution);
    if (direct.kind === 'problem') problems.push(direct.problem);
  }
  const troubled = new Set(problems.map((problem) => problem.table));
  const open = candidates.filter(
    (table) => !settled.has(tableName(table)) && !troubled.has(tableName(table)),
  );
  const reachable = closure(settled, open);
  for (const table of open) {
    const path = pathAttribution(table, reachable, rules);
    if (path.kind === 'attributed') settled.set(tableName(table), path.attribution);
    else problems.push(path.problem);
  }

  const slice = candidates.flatMap((table) => {
    const attribution = settled.get(tableName(table));
    return attribution === undefined
      ? []
      : [{ table, attribution, depth: depthOf(tableName(table), settled) }];
  });
  slice.sort((a, b) => a.depth - b.depth || compare(tableName(a.table), tableName(b.table)));
  return { slice, shared: byMode('shared'), keep: byMode('keep'), excluded: byMode('exclude'), problems };
}

type Attempt =
  | { readonly kind: 'attributed'; readonly attribution: TableAttribution }
  | { readonly kind: 'problem'; readonly problem: AttributionProblem }
  | { readonly kind: 'open' };

function directAttribution(table: CatalogTable, rules: AttributionRules): Attempt {
  if (rules.model === 'schema') return { kind: 'attributed', attribution: { kind: 'schema' } };
  const name = tableName(table);
  const override = overrideFor(rules, table);
  const has = (column: string) => table.columns.some((one) => one.name === column);
  if (override?.column !== undefined) {
    if (has(override.column))
      return { kind: 'attributed', attribution: { kind: 'column', column: override.column } };
    return problem(name, `its override names the column ${override.column}, which it does not have`, []);
  }
  if (override?.path !== undefined) {
    const key = foreignKeyBy(table, override.path);
    if (key !== undefined) return { kind: 'attributed', attribution: pathOf(key) };
    return problem(
      name,
      `its override names the path ${override.path.join(', ')}, which is no foreign key of it`,
      pathOverrides(table, table.foreignKeys),
    );
  }
  if (name === rules.table) {
    if (has(rules.key))
      return { kind: 'attributed', attribution: { kind: 'tenant-table', column: rules.key } };
    return problem(name, `the tenant table has no column ${rules.key}`, []);
  }
  const columns = rules.columns.filter(has);
  if (columns.length > 1) {
    return problem(
      name,
      `it has more than one tenant column (${columns.join(', ')})`,
      columns.map((column) => `${quoteKey(name)}: { column: ${column} }`),
    );
  }
  const [column] = columns;
  return column === undefined
    ? { kind: 'open' }
    : { kind: 'attributed', attribution: { kind: 'column', column } };
}

function pathAttribution(
  table: CatalogTable,
  reachable: ReadonlySet<string>,
  rules: AttributionRules,
): Exclude<Attempt, { kind: 'open' }> {
  const name = tableName(table);
  const ways = foreignKeysTo(table, reachable);
  const [way, ...others] = ways;
  if (way !== undefined && others.length === 0) return { kind: 'attributed', attribution: pathOf(way) };
  if (way !== undefined) {
    return problem(
      name,
      `it leads to the tenant in ${ways.length} ways (${ways.map((key) => key.name).join(', ')})`,
      pathOverrides(table, ways),
    );
  }
  return problem(
    name,
    `it has no tenant column (${rules.columns.join(', ')}) and no foreign key leads from it to one`,
    [
      `${quoteKey(name)}: { mode: shared }    # belongs to no tenant`,
      `${quoteKey(name)}: { mode: keep }      # is never rolled back, such as an outbox`,
      `${quoteKey(name)}: { column: <name> }  # this column holds the tenant's key`,
    ],
  );
}

/** Every table from which a settled one can be reached along foreign keys, the settled ones included. */
function closure(
  settled: ReadonlyMap<string, TableAttribution>,
  open: readonly CatalogTable[],
): ReadonlySet<string> {
  const reached = new Set(settled.keys());
  let grew = true;
  while (grew) {
    grew = false;
    for (const table of open) {
      if (!reached.has(tableName(table)) && foreignKeysTo(table, reached).length > 0) {
        reached.add(tableName(table));
        grew = true;
      }
    }
  }
  return reached;
}

/** Self-references are no way to the tenant; two keys over the same columns are one way. */
function foreignKeysTo(table: CatalogTable, targets: ReadonlySet<string>): ForeignKey[] {
  const seen = new Set<string>();
  return table.foreignKeys.filter((key) => {
    const parent = tableName(key.parent);
    const columns = JSON.stringify([key.columns, parent]);
    if (parent === tableName(table) || !targets.has(parent) || seen.has(columns)) return false;
    seen.add(columns);
    return true;
  });
}

function depthOf(
  name: string,
  settled: ReadonlyMap<string, TableAttribution>,
  seen: readonly string[] = [],
): number {
  const attribution = settled.get(name);
  // A circle of path overrides has no end; the plan refuses it before any statement is built.
  if (attribution?.kind !== 'path' || seen.includes(name)) return 0;
  return 1 + depthOf(attribution.parent, settled, [...seen, name]);
}

function unknownOverrides(catalog: Catalog, rules: AttributionRules): AttributionProblem[] {
  const known = new Set(catalog.tables.flatMap((table) => [tableName(table), `*.${table.name}`]));
  return Object.keys(rules.overrides)
    .filter((name) => !known.has(name))
    .map((table) => ({
      table,
      reason: 'tenancy.overrides names it, but there is no such table',
      overrides: [],
    }));
}

/** Finds paths that never arrive at a tenant column: overrides that point at each other, or at a shared table. */
export function brokenPaths(attribution: Attribution): AttributionProblem[] {
  const byName = new Map(attribution.slice.map((one) => [tableName(one.table), one]));
  return attribution.slice.flatMap(({ table, attribution: start }) => {
    const seen = new Set<string>([tableName(table)]);
    let current: TableAttribution | undefined = start;
    while (current?.kind === 'path') {
      if (seen.has(current.parent))
        return [{ table: tableName(table), reason: 'its path runs in a circle', overrides: [] }];
      seen.add(current.parent);
      const next: AttributedTable | undefined = byName.get(current.parent);
      if (next === undefined)
        return [
          {
            table: tableName(table),
            reason: `its path ends at ${current.parent}, which belongs to no tenant`,
            overrides: [],
          },
        ];
      current = next.attribution;
    }
    return [];
  });
}

function overrideFor(rules: AttributionRules, table: CatalogTable): AttributionOverride | undefined {
  return rules.overrides[tableName(table)] ?? rules.overrides[`*.${table.name}`];
}

function foreignKeyBy(table: CatalogTable, columns: readonly string[]): ForeignKey | undefined {
  const wanted = [...columns].sort().join('\0');
  return table.foreignKeys.find((key) => [...key.columns].sort().join('\0') === wanted);
}

function pathOf(key: ForeignKey): TableAttribution {
  return {
    kind: 'path',
    columns: key.columns,
    parent: tableName(key.parent),
    parentColumns: key.parentColumns,
  };
}

function pathOverrides(table: CatalogTable, keys: readonly ForeignKey[]): string[] {
  return keys.map((key) => `${quoteKey(tableName(table))}: { path: [${key.columns.join(', ')}] }`);
}

function problem(
  table: string,
  reason: string,
  overrides: readonly string[],
): { kind: 'problem'; problem: AttributionProblem } {
  return { kind: 'problem', problem: { table, reason, overrides } };
}

function quoteKey(name: string): string {
  return /^[\w.]+$/.test(name) ? name : JSON.stringify(name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
