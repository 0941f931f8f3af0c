import fc from 'fast-check';
import type { AllCounts } from '../../core/recovery/diff/written-rows.pure';
import { keysBetweenLost, type WrittenKey, writtenKeys } from '../../core/recovery/merge/written-keys.pure';
import type { CatalogTable, ForeignKey } from '../../core/recovery/slice/catalog-types';
import type { PlanTable, SlicePlan } from '../../core/recovery/slice/plan-types';

const column = (name: string) => ({
  name,
  type: 'bigint',
  storageType: 'bigint',
  exactEquality: true,
  notNull: true,
  identityAlways: false,
});

function planTable(n: number): PlanTable {
  const columns = [column('id'), column('parent')];
  return {
    n,
    oid: n,
    schema: 'public',
    name: `t${n}`,
    attribution: { kind: 'column', column: 'id' },
    depth: 0,
    nullableOwner: false,
    key: ['id'],
    stagedRows: 1,
    columns,
    binaryCopy: true,
    liveColumns: columns,
    addedColumns: [],
    droppedColumns: [],
    forward: [],
  };
}

const keyTo = (parent: number, parentColumn = 'id'): ForeignKey => ({
  name: `to_t${parent}`,
  columns: ['parent'],
  parent: { schema: 'public', name: `t${parent}` },
  parentColumns: [parentColumn],
  match: 'simple',
  validated: true,
});

const TABLES = [1, 2, 3, 4];
const plan: SlicePlan = {
  tenant: 'a',
  schemaHash: '',
  searchPath: [],
  tables: TABLES.map(planTable),
  drift: [],
  notices: [],
};
const references = fc.array(
  fc.record({ from: fc.constantFrom(...TABLES), to: fc.integer({ min: 1, max: 6 }) }),
  {
    maxLength: 8,
  },
);
const some = fc.subarray(TABLES).map((numbers) => new Set(numbers));

function written(keys: readonly { readonly from: number; readonly to: number }[]): WrittenKey[] {
  return keys.map(({ from, to }) => ({ table: planTable(from), key: keyTo(to) }));
}

/** All of the one staged row of these tables comes back; of the others nothing does. */
function returning(numbers: Iterable<number>): AllCounts {
  return new Map([...numbers].map((n) => [n, { insert: 1, update: 0, delete: 0 }]));
}

test('16: a key is proved in staging only from a table that was lost whole to one that comes back whole', () => {
  fc.assert(
    fc.property(references, some, some, (keys, lost, back) => {
      const counts = returning([...lost, ...back]);
      const between = keysBetweenLost(written(keys), plan, lost, counts);
      expect(between.map(({ table, parent }) => ({ from: table.n, to: parent.n }))).toEqual(
        keys.filter(({ from, to }) => lost.has(from) && counts.has(to)),
      );
    }),
  );
});

test('16: a key of one partition, or to a column that is not staged, is proved among the live rows', () => {
  const lost = new Set(TABLES);
  const all = returning(TABLES);
  const partition = { schema: 'public', name: 't1_1' };
  expect(keysBetweenLost([{ table: planTable(1), key: keyTo(2), partition }], plan, lost, all)).toEqual([]);
  expect(keysBetweenLost([{ table: planTable(1), key: keyTo(2, 'computed') }], plan, lost, all)).toEqual([]);
});

test('16: keys of tables in which something is written are proved, and no others', () => {
  fc.assert(
    fc.property(references, some, some, (keys, inserted, updated) => {
      const live = { tables: TABLES.map((n) => catalogTable(n, keys)) };
      const counts = new Map(
        TABLES.map((n) => [
          n,
          { insert: inserted.has(n) ? 1 : 0, update: updated.has(n) ? 1 : 0, delete: 1 },
        ]),
      );
      const found = writtenKeys(plan, live, counts).map(({ table, key }) => `${table.n} ${key.name}`);
      const expected = keys.filter(({ from }) => inserted.has(from) || updated.has(from));
      expect(found.sort()).toEqual(expected.map(({ from, to }) => `${from} to_t${to}`).sort());
    }),
  );
});

function catalogTable(n: number, keys: readonly { readonly from: number; readonly to: number }[]) {
  return {
    schema: 'public',
    name: `t${n}`,
    foreignKeys: keys.filter(({ from }) => from === n).map(({ to }) => keyTo(to)),
    partitionKeys: [],
  } satisfies Pick<CatalogTable, 'schema' | 'name' | 'foreignKeys' | 'partitionKeys'>;
}
