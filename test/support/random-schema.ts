import fc from 'fast-check';

/**
 * Random tables for the restore's property test: plain data, so that fast-check can shrink them, and the DDL they stand
 * for. Table 0 is the tenant table; every other one belongs to a tenant by a column, or by a path to an earlier table.
 */
export interface RandomTable {
  readonly key: KeyKind;
  readonly keyType: 'int' | 'bigint' | 'uuid' | 'text' | 'numeric';
  readonly identity: 'none' | 'always' | 'by default';
  /** Index of the table that leads to the tenant; undefined for a tenant column. Taken modulo the tables before. */
  readonly path: number | undefined;
  readonly nullableOwner: boolean;
  readonly ownerAction: Action;
  /** Further foreign keys: to which table (modulo all of them, itself included), and what a delete of the parent does. */
  readonly references: readonly { readonly to: number; readonly action: Action }[];
  readonly unique: 'none' | 'global' | 'partial' | 'per owner' | 'deferrable';
  readonly generated: boolean;
  readonly partitioned: boolean;
}

export type KeyKind = 'single' | 'composite' | 'none';
export type Action = 'cascade' | 'set null' | 'no action';

/** One write; indexes are taken modulo what is there, so every sequence is a history. */
export interface RandomWrite {
  readonly kind:
    | 'insert'
    | 'delete'
    | 'update value'
    | 'update unique'
    | 'update reference'
    | 'change owner'
    | 'swap unique'
    | 'delete tenant'
    | 'insert tenant';
  readonly table: number;
  readonly tenant: number;
  readonly row: number;
  readonly value: number;
}

export const TENANT_KEYS = ['t0', `t'1`, 't2', 'T0'];

const action = fc.constantFrom<Action>('cascade', 'set null', 'no action');
const table: fc.Arbitrary<RandomTable> = fc.record({
  key: fc.oneof(
    { arbitrary: fc.constant<KeyKind>('single'), weight: 6 },
    fc.constantFrom<KeyKind>('composite', 'none'),
  ),
  keyType: fc.constantFrom('int', 'bigint', 'uuid', 'text', 'numeric'),
  identity: fc.constantFrom('none', 'none', 'always', 'by default'),
  path: fc.option(fc.nat(5), { nil: undefined, freq: 2 }),
  nullableOwner: fc.boolean(),
  ownerAction: action,
  references: fc.array(fc.record({ to: fc.nat(6), action }), { maxLength: 2 }),
  unique: fc.constantFrom('none', 'global', 'partial', 'per owner', 'deferrable'),
  generated: fc.boolean(),
  partitioned: fc.oneof({ arbitrary: fc.constant(false), weight: 3 }, fc.constant(true)),
});
export const randomTables = fc.array(table, { minLength: 1, maxLength: 6 });

const write: fc.Arbitrary<RandomWrite> = fc.record({
  kind: fc.oneof(
    { arbitrary: fc.constant<RandomWrite['kind']>('insert'), weight: 10 },
    {
      arbitrary: fc.constantFrom<RandomWrite['kind']>(
        'delete',
        'update value',
        'update unique',
        'update reference',
      ),
      weight: 10,
    },
    {
      arbitrary: fc.constantFrom<RandomWrite['kind']>(
        'change owner',
        'swap unique',
        'delete tenant',
        'insert tenant',
      ),
      weight: 3,
    },
  ),
  table: fc.nat(6),
  tenant: fc.nat(3),
  row: fc.nat(40),
  value: fc.nat(11),
});
export const randomHistory = fc.array(write, { minLength: 10, maxLength: 60, size: 'max' });

/** A table as it stands in the database: what the writes, the oracle and the checker work with. */
export interface BuiltTable {
  readonly name: string;
  readonly key: readonly string[];
  /** Columns that are filled on insert besides owner and references. */
  readonly keyType: RandomTable['keyType'] | 'none';
  readonly identity: RandomTable['identity'];
  readonly owner:
    | { readonly kind: 'tenant' }
    | { readonly kind: 'column'; readonly column: string }
    | { readonly kind: 'path'; readonly columns: readonly string[]; readonly parent: number };
  readonly keys: readonly BuiltReference[];
  readonly unique: readonly string[];
  readonly partialUnique: boolean;
}

export interface BuiltReference {
  readonly columns: readonly string[];
  readonly parent: number;
  readonly parentColumns: readonly string[];
  /** Of these columns; for a composite key the last one, since the first is the tenant's. */
  readonly settable: string;
}

export interface BuiltSchema {
  readonly tables: readonly BuiltTable[];
  readonly ddl: string;
  readonly overrides: Readonly<Record<string, { readonly path: readonly string[] }>>;
}

export function buildSchema(specs: readonly RandomTable[]): BuiltSchema {
  const tables: BuiltTable[] = [
    {
      name: 'tenants',
      key: ['id'],
      keyType: 'none',
      identity: 'none',
      owner: { kind: 'tenant' },
      keys: [],
      unique: [],
      partialUnique: false,
    },
  ];
  const ddl = ['create table tenants (id text primary key, v int);'];
  const overrides: Record<string, { path: readonly string[] }> = {};
  const later: string[] = [];
  const shapes = specs.map((spec, i) => shapeOf(spec, i));
  for (const [i, spec] of specs.entries()) {
    const built = buildTable(spec, i + 1, shapes, tables, ddl, later);
    tables.push(built);
    if (built.owner.kind === 'path') overrides[`public.${built.name}`] = { path: built.owner.columns };
  }
  return { tables, ddl: [...ddl, ...later].join('\n'), overrides };
}

interface Shape {
  readonly name: string;
  readonly key: readonly string[];
  readonly types: readonly string[];
  readonly composite: boolean;
}

/** What another table needs to know in order to reference this one. */
function shapeOf(spec: RandomTable, i: number): Shape {
  const composite = spec.key === 'composite' && spec.path === undefined;
  if (spec.key === 'none') return { name: `r${i + 1}`, key: [], types: [], composite: false };
  const type = keyTypeOf(spec);
  return {
    name: `r${i + 1}`,
    key: composite ? ['tenant_id', 'id'] : ['id'],
    types: composite ? ['text', type] : [type],
    composite,
  };
}

function keyTypeOf(spec: RandomTable): RandomTable['keyType'] {
  return spec.identity === 'none' ? spec.keyType : 'bigint';
}

function buildTable(
  spec: RandomTable,
  index: number,
  shapes: readonly Shape[],
  before: readonly BuiltTable[],
  ddl: string[],
  later: string[],
): BuiltTable {
  const shape = shapes[index - 1];
  if (shape === undefined) throw new RangeError(`no table ${index}`);
  const columns: string[] = [];
  const keys: BuiltReference[] = [];
  const parents = before.flatMap((one, i) => (i > 0 && one.key.length > 0 ? [i] : []));
  const parent =
    spec.path === undefined || parents.length === 0 ? undefined : parents[spec.path % parents.length];
  const nullable = spec.nullableOwner && !shape.composite;
  const ownerAction = spec.ownerAction === 'set null' && !nullable ? 'cascade' : spec.ownerAction;
  let owner: BuiltTable['owner'];
  if (parent === undefined) {
    columns.push(`tenant_id text ${nullable ? '' : 'not null'} references tenants on delete ${ownerAction}`);
    keys.push({ columns: ['tenant_id'], parent: 0, parentColumns: ['id'], settable: 'tenant_id' });
    owner = { kind: 'column', column: 'tenant_id' };
  } else {
    const to = shapes[parent - 1];
    if (to === undefined) throw new RangeError(`no table ${parent}`);
    const names = to.key.map((name) => `p_${name}`);
    columns.push(...names.map((name, i) => `${name} ${to.types[i]} ${nullable ? '' : 'not null'}`));
    columns.push(
      `foreign key (${names.join(', ')}) references ${to.name} (${to.key.join(', ')}) on delete ${ownerAction}`,
    );
    keys.push({ columns: names, parent, parentColumns: to.key, settable: names.at(-1) ?? '' });
    owner = { kind: 'path', columns: names, parent };
  }
  if (spec.key !== 'none') {
    const type = keyTypeOf(spec);
    const identity =
      spec.identity === 'none' || spec.partitioned ? '' : ` generated ${spec.identity} as identity`;
    columns.push(`id ${type}${identity} not null`, `primary key (${shape.key.join(', ')})`);
  }
  for (const [n, reference] of spec.references.entries()) {
    const at = reference.to % (shapes.length + 1);
    const to = shapes[at - 1];
    if (to === undefined || to.key.length === 0) continue;
    if (to.composite && (owner.kind !== 'column' || nullable)) continue;
    const name = `ref${n}`;
    columns.push(`${name} ${to.types.at(-1)}`);
    const own = to.composite ? ['tenant_id', name] : [name];
    const action = to.composite && reference.action === 'set null' ? `set null (${name})` : reference.action;
    later.push(
      `alter table ${shape.name} add foreign key (${own.join(', ')}) references ${to.name} (${to.key.join(', ')}) on delete ${action} deferrable;`,
    );
    keys.push({ columns: own, parent: at, parentColumns: to.key, settable: name });
  }
  columns.push('u int', 'v numeric');
  if (spec.generated) columns.push('g text generated always as (v::text) stored');
  const perOwner = spec.unique === 'per owner' && owner.kind === 'column';
  const unique = spec.unique === 'none' || spec.partitioned ? [] : perOwner ? ['tenant_id', 'u'] : ['u'];
  if (unique.length > 0 && spec.unique !== 'partial')
    columns.push(`unique (${unique.join(', ')})${spec.unique === 'deferrable' ? ' deferrable' : ''}`);
  const by = spec.key === 'none' ? 'v' : 'id';
  ddl.push(
    `create table ${shape.name} (${columns.join(', ')})${spec.partitioned ? ` partition by hash (${by})` : ''};`,
  );
  if (spec.partitioned)
    for (const remainder of [0, 1])
      ddl.push(
        `create table ${shape.name}_${remainder} partition of ${shape.name} for values with (modulus 2, remainder ${remainder});`,
      );
  if (unique.length > 0 && spec.unique === 'partial')
    ddl.push(`create unique index on ${shape.name} (u) where u > 3;`);
  return {
    name: shape.name,
    key: shape.key,
    keyType: spec.key === 'none' ? 'none' : keyTypeOf(spec),
    identity: spec.key === 'none' || spec.partitioned ? 'none' : spec.identity,
    owner,
    keys,
    unique,
    partialUnique: unique.length > 0 && spec.unique === 'partial',
  };
}
