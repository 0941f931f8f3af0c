import fc from 'fast-check';
import {
  type AttributionRules,
  attributeTables,
  brokenPaths,
} from '../../core/recovery/slice/attribution.pure';
import {
  type Catalog,
  type CatalogTable,
  type ForeignKey,
  tableName,
} from '../../core/recovery/slice/catalog-types';

const NAMES = ['tenants', 'a', 'b', 'c', 'd', 'we"ird', 'Camel'];
const COLUMNS = ['id', 'tenant_id', 'org_id', 'x', 'y'];

interface Sketch {
  readonly columns: readonly string[];
  readonly keys: readonly { readonly column: string; readonly to: string }[];
}

const sketch: fc.Arbitrary<Sketch> = fc.record({
  columns: fc.subarray(COLUMNS),
  keys: fc.array(fc.record({ column: fc.constantFrom(...COLUMNS), to: fc.constantFrom(...NAMES) }), {
    maxLength: 3,
  }),
});
const override = fc.oneof(
  fc.record({ mode: fc.constantFrom('shared' as const, 'keep' as const, 'exclude' as const) }),
  fc.record({ column: fc.constantFrom(...COLUMNS) }),
  fc.record({ path: fc.uniqueArray(fc.constantFrom(...COLUMNS), { minLength: 1, maxLength: 2 }) }),
);
const inputs = fc.record({
  tables: fc.dictionary(fc.constantFrom(...NAMES), sketch, { maxKeys: NAMES.length }),
  overrides: fc.dictionary(
    fc.constantFrom(...NAMES.map((name) => `public.${name}`), '*.a', 'public.unknown'),
    override,
    { maxKeys: 4 },
  ),
  model: fc.constantFrom('row' as const, 'row' as const, 'schema' as const),
});

function catalogOf(tables: Readonly<Record<string, Sketch>>): Catalog {
  return {
    tables: Object.entries(tables).map(([name, one], i) => tableOf(name, one, i + 1, tables)),
    enums: {},
    domains: {},
    domainChecks: {},
    materializedViews: [],
    publications: [],
    logicalSlots: [],
    operatorSchemas: [],
  };
}

function tableOf(
  name: string,
  { columns, keys }: Sketch,
  oid: number,
  tables: Readonly<Record<string, Sketch>>,
): CatalogTable {
  const foreignKeys: ForeignKey[] = keys
    .filter((key) => columns.includes(key.column) && tables[key.to] !== undefined)
    .map((key, i) => ({
      name: `fk${i}`,
      columns: [key.column],
      parent: { schema: 'public', name: key.to },
      parentColumns: ['id'],
      match: 'simple',
      validated: true,
    }));
  return {
    oid,
    schema: 'public',
    name,
    partitioned: false,
    unlogged: false,
    rowSecurity: false,
    rowSecurityActive: false,
    hasRules: false,
    inherits: false,
    partitionKeys: [],
    partitionDeferrables: [],
    columns: columns.map((column) => ({
      name: column,
      type: 'text',
      storageType: 'text',
      typeOid: 25,
      typeKind: 'b',
      exactEquality: true,
      notNull: false,
      hasDefault: false,
      identity: undefined,
      generated: false,
    })),
    uniques: [],
    exclusions: [],
    foreignKeys,
    checks: [],
    triggers: [],
  };
}

function rulesOf(input: {
  readonly overrides: AttributionRules['overrides'];
  readonly model: 'row' | 'schema';
}): AttributionRules {
  return {
    model: input.model,
    table: 'public.tenants',
    key: 'id',
    columns: ['tenant_id', 'org_id'],
    overrides: input.overrides,
  };
}

test('every table ends in exactly one place: slice, shared, keep, excluded, or a problem', () => {
  fc.assert(
    fc.property(inputs, ({ tables, ...input }) => {
      const catalog = catalogOf(tables);
      const { slice, shared, keep, excluded, problems } = attributeTables(catalog, rulesOf(input));
      const known = new Set(catalog.tables.map(tableName));
      const places = [
        ...slice.map((one) => tableName(one.table)),
        ...[...shared, ...keep, ...excluded].map(tableName),
        ...new Set(problems.map((problem) => problem.table).filter((name) => known.has(name))),
      ];
      expect([...places].sort()).toEqual([...known].sort());
    }),
    { numRuns: 2_000 },
  );
});

test('a table that fits in two ways is never attributed, and the problem names both', () => {
  fc.assert(
    fc.property(inputs, ({ tables, ...input }) => {
      const rules = rulesOf({ ...input, model: 'row' });
      const { slice, problems } = attributeTables(catalogOf(tables), rules);
      for (const { table, attribution } of slice) {
        const name = tableName(table);
        const decided = rules.overrides[name] ?? rules.overrides[`*.${table.name}`];
        if (decided !== undefined || name === rules.table) continue;
        const tenantColumns = table.columns.filter((column) => rules.columns.includes(column.name));
        expect(tenantColumns.length).toBeLessThanOrEqual(1);
        if (attribution.kind !== 'path') continue;
        const ways = new Set(
          table.foreignKeys
            .filter(
              (key) =>
                tableName(key.parent) !== name &&
                slice.some((one) => tableName(one.table) === tableName(key.parent)),
            )
            .map((key) => JSON.stringify([key.columns, tableName(key.parent)])),
        );
        expect(ways.size).toBeLessThanOrEqual(1);
      }
      for (const problem of problems) {
        if (!problem.reason.includes('ways') && !problem.reason.includes('more than one')) continue;
        expect(problem.overrides.length).toBeGreaterThan(1);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('paths of a slice without broken ones end at a tenant column, parents first', () => {
  fc.assert(
    fc.property(inputs, ({ tables, ...input }) => {
      const attribution = attributeTables(catalogOf(tables), rulesOf(input));
      if (attribution.problems.length > 0 || brokenPaths(attribution).length > 0) return;
      const seen = new Set<string>();
      for (const { table, attribution: how } of attribution.slice) {
        if (how.kind === 'path') expect(seen).toContain(how.parent);
        seen.add(tableName(table));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the order in which the catalog lists tables and keys does not matter', () => {
  fc.assert(
    fc.property(inputs, ({ tables, ...input }) => {
      const catalog = catalogOf(tables);
      const mirrored = { ...catalog, tables: [...catalog.tables].reverse() };
      const names = (attribution: ReturnType<typeof attributeTables>) =>
        attribution.slice.map((one) => [tableName(one.table), one.attribution]);
      expect(names(attributeTables(mirrored, rulesOf(input)))).toEqual(
        names(attributeTables(catalog, rulesOf(input))),
      );
    }),
    { numRuns: 500 },
  );
});
