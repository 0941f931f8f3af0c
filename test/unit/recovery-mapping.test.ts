import fc from 'fast-check';
import { decision } from '../../client/cli/recovery/options';
import {
  describeMapping,
  type MapDecision,
  mappedValue,
  mappingFor,
  refusedBecause,
} from '../../core/recovery/diff/mapping.pure';
import { parseInput, tenantRestoreInput } from '../../core/recovery/operation-input';
import type { CatalogTable } from '../../core/recovery/slice/catalog-types';
import type { PlanColumn, PlanTable } from '../../core/recovery/slice/plan-types';
import type { MappableKind, MappingRule } from '../../core/recovery/types';

const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
const rules: fc.Arbitrary<MappingRule> = fc.oneof(
  fc.constant<MappingRule>({ kind: 'null' }),
  fc.record({ kind: fc.constantFrom('prefix', 'suffix', 'value'), text }),
);
const maps: fc.Arbitrary<MapDecision> = fc.record({
  table: text.filter((name) => !name.includes('=')).map((name) => `public.${name}`),
  kind: fc.constantFrom<MappableKind>('unique-taken', 'parent-missing', 'constraint-violated'),
  decision: fc.constant('map'),
  column: text.filter((name) => !name.includes('=')),
  rule: rules,
});

test('10: what a preview prints of a mapping, --decide reads back', () => {
  fc.assert(
    fc.property(maps, (map) => {
      expect(decision(`${map.table}:${map.kind}=map:${describeMapping(map)}`)).toEqual([map]);
    }),
  );
});

test.each([
  'public.users:unique-taken=map',
  'public.users:unique-taken=map:email',
  'public.users:unique-taken=map:email=',
  'public.users:unique-taken=map:email=suffix:',
  'public.users:unique-taken=map:email=nullify',
  'public.users:unique-taken=map:email=upper:x',
  'public.users:referenced=map:email=null',
  'public.users:owner-changed=map:id=value:9',
])('10: --decide %s is a wrong call', (written) => {
  expect(() => decision(written)).toThrow();
});

test('10: the input takes mappings, and each column once for a kind of conflict', () => {
  const parse = (decisions: readonly unknown[]) =>
    parseInput(tenantRestoreInput, { tenant: 'a', to: '20m ago', requestedBy: 'ada', decisions }, 'x');
  fc.assert(
    fc.property(maps, (map) => {
      expect(parse([map]).decisions).toEqual([map]);
      expect(() => parse([map, { ...map, rule: { kind: 'null' } }])).toThrow(/mapped once/);
      expect(parse([map, { ...map, column: `${map.column}2` }]).decisions).toHaveLength(2);
    }),
  );
  const referenced = { table: 't', kind: 'referenced', decision: 'map', column: 'c', rule: { kind: 'null' } };
  expect(() => parse([referenced])).toThrow(/decisions\.0\.kind/);
});

test('10: a mapping is for its own table, kind and columns', () => {
  const email: MapDecision = {
    table: 'public.users',
    kind: 'unique-taken',
    decision: 'map',
    column: 'email',
    rule: { kind: 'null' },
  };
  const phone = { ...email, column: 'phone' };
  const find = (table: string, kind: MappableKind, columns: readonly string[]) =>
    mappingFor([email, phone], table, kind, columns);
  expect(find('public.users', 'unique-taken', ['tenant_id', 'phone'])).toBe(phone);
  expect(find('public.users', 'parent-missing', ['phone'])).toBeUndefined();
  expect(find('public.others', 'unique-taken', ['phone'])).toBeUndefined();
  expect(find('public.users', 'unique-taken', ['name'])).toBeUndefined();
});

describe('10: what could reach outside the row, or would not be used, is refused', () => {
  const column = (name: string, more: Partial<PlanColumn> = {}): PlanColumn => ({
    name,
    type: 'text',
    storageType: 'text',
    exactEquality: true,
    notNull: false,
    identityAlways: false,
    ...more,
  });
  const columns = [
    column('id', { type: 'integer', storageType: 'integer', notNull: true }),
    column('tenant_id'),
    column('email'),
    column('name', { notNull: true }),
    column('code', { type: 'character(4)', storageType: 'character(4)' }),
    column('number', { type: 'integer', storageType: 'integer' }),
    column('manager', { type: 'integer', storageType: 'integer' }),
    column('country'),
    column('city'),
    column('serial', { type: 'bigint', storageType: 'bigint', identityAlways: true }),
    column('secret'),
    column('foreign_note'),
  ];
  const table: PlanTable = {
    n: 1,
    oid: 1,
    schema: 'public',
    name: 'users',
    attribution: { kind: 'column', column: 'tenant_id' },
    depth: 0,
    nullableOwner: false,
    key: ['id'],
    stagedRows: 0,
    binaryCopy: true,
    columns,
    liveColumns: columns,
    addedColumns: [],
    droppedColumns: [],
    forward: ['number'],
  };
  const key = (
    name: string,
    names: readonly string[],
    parent: string,
    match: 'simple' | 'full' = 'simple',
  ) => ({
    name,
    columns: names,
    parent: { schema: 'public', name: parent },
    parentColumns: names,
    match,
    validated: true,
  });
  const unique = (names: readonly string[]) => ({
    name: `u_${names.join('_')}`,
    columns: names,
    expressions: names,
    dependsOn: names,
    nullsNotDistinct: false,
    deferrable: false,
    primary: false,
  });
  const live: CatalogTable = {
    oid: 1,
    schema: 'public',
    name: 'users',
    partitioned: false,
    unlogged: false,
    rowSecurity: false,
    rowSecurityActive: false,
    hasRules: false,
    inherits: false,
    partitionKeys: [],
    partitionDeferrables: [],
    columns: [],
    uniques: ['id', 'tenant_id', 'email', 'name', 'code', 'number', 'serial', 'secret'].map((name) =>
      unique([name]),
    ),
    exclusions: [],
    foreignKeys: [
      key('to_manager', ['manager'], 'users'),
      key('to_place', ['country', 'city'], 'places', 'full'),
      key('to_note', ['foreign_note'], 'kept_notes'),
    ],
    checks: [],
    triggers: [],
  };
  const referable = new Set(['public.users', 'public.places']);
  const judge = (
    kind: MappableKind,
    name: string,
    rule: MappingRule,
    changed: Partial<PlanTable> = {},
  ): string | undefined =>
    refusedBecause(
      { table: 'public.users', kind, decision: 'map', column: name, rule },
      { table: { ...table, ...changed }, live, referable, sensitive: ['public.users.secret'] },
    );
  const toNull: MappingRule = { kind: 'null' };
  const suffix: MappingRule = { kind: 'suffix', text: '-x' };
  const value: MappingRule = { kind: 'value', text: '7' };

  test.each<[MappableKind, string, MappingRule]>([
    ['unique-taken', 'email', suffix],
    ['unique-taken', 'email', toNull],
    ['unique-taken', 'secret', suffix],
    ['parent-missing', 'manager', value],
    ['parent-missing', 'manager', toNull],
    ['parent-missing', 'city', { kind: 'value', text: 'Ulm' }],
    ['constraint-violated', 'name', value],
  ])('%s: %s may be mapped by %o', (kind, name, rule) => {
    expect(judge(kind, name, rule)).toBeUndefined();
  });

  test.each<[MappableKind, string, MappingRule, RegExp]>([
    ['unique-taken', 'id', value, /part of the key/],
    ['unique-taken', 'tenant_id', value, /to whom the row belongs/],
    ['unique-taken', 'number', value, /move forward only/],
    ['unique-taken', 'serial', value, /always generated/],
    ['unique-taken', 'nowhere', value, /no column/],
    ['unique-taken', 'name', toNull, /NOT NULL/],
    ['unique-taken', 'code', suffix, /needs a text/],
    ['unique-taken', 'country', suffix, /no unique index/],
    ['unique-taken', 'secret', value, /sensitive/],
    ['parent-missing', 'email', toNull, /no foreign key/],
    ['parent-missing', 'city', toNull, /MATCH FULL/],
    ['parent-missing', 'foreign_note', value, /not known whose/],
  ])('%s: %s by %o: %s', (kind, name, rule, why) => {
    expect(judge(kind, name, rule)).toMatch(why);
  });

  test('a table without key, and the columns of a path to the tenant', () => {
    expect(judge('unique-taken', 'email', suffix, { key: [] })).toMatch(/no key/);
    const attribution = {
      kind: 'path',
      columns: ['manager'],
      parent: 'public.users',
      parentColumns: ['id'],
    } as const;
    expect(judge('parent-missing', 'manager', value, { attribution })).toMatch(/to whom/);
  });

  test('a text is assigned, so that what is too long is refused and never cut; another type is read from its text', () => {
    const short = column('code', { type: 'character varying(4)', storageType: 'character varying(4)' });
    expect(mappedValue(value, short, 's', '$3')).toEqual({ sql: '$3::text', values: ['7'] });
    expect(mappedValue(suffix, short, 's', '$3')).toEqual({
      sql: 's."code"::text || $3::text',
      values: ['-x'],
    });
    expect(mappedValue(value, column('n', { storageType: 'integer' }), 's', '$3').sql).toBe(
      '$3::text::integer',
    );
    expect(mappedValue(toNull, short, 's', '$3')).toEqual({ sql: 'null', values: [] });
  });
});
