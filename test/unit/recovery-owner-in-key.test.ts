import { ownerAmong, ownerInKey } from '../../core/recovery/slice/owner-in-key.pure';
import type { PlanTable } from '../../core/recovery/slice/plan-types';

function table(attribution: PlanTable['attribution'], key: readonly string[]): PlanTable {
  return {
    n: 1,
    oid: 1,
    schema: 'public',
    name: 't',
    attribution,
    depth: 0,
    nullableOwner: false,
    key,
    stagedRows: 0,
    columns: [],
    binaryCopy: true,
    liveColumns: [],
    addedColumns: [],
    droppedColumns: [],
    forward: [],
  };
}

const byColumn = { kind: 'column', column: 'org' } as const;

test('9: rows with the same key have the same owner only when the tenant column is part of it', () => {
  expect(ownerInKey(table(byColumn, ['org', 'number']))).toBe(true);
  expect(ownerInKey(table({ kind: 'tenant-table', column: 'id' }, ['id']))).toBe(true);
  expect(ownerInKey(table(byColumn, ['id']))).toBe(false);
  expect(ownerInKey(table(byColumn, []))).toBe(false);
});

test('9: the same holds of any other unique value', () => {
  expect(ownerAmong(table(byColumn, ['id']), ['number', 'org'])).toBe(true);
  expect(ownerAmong(table(byColumn, ['org']), ['number'])).toBe(false);
});

test('9: a tenant column of another type than at the target may name another tenant by the same key', () => {
  expect(ownerInKey({ ...table(byColumn, ['org', 'number']), ownerTypeAtTarget: 'citext' })).toBe(false);
});

test('9: what leads to the tenant over other tables, or by its schema, is looked up', () => {
  const path = {
    kind: 'path',
    columns: ['invoice'],
    parent: 'public.invoice',
    parentColumns: ['id'],
  } as const;
  expect(ownerInKey(table(path, ['invoice', 'line']))).toBe(false);
  expect(ownerInKey(table({ kind: 'schema' }, ['id']))).toBe(false);
});
