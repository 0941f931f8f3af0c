import fc from 'fast-check';
import {
  allStaged,
  type ChangeGroup,
  countsOfGroups,
  expectedFromLive,
  liveFromStaged,
  toChangeGroup,
  totalOfGroups,
} from '../../core/recovery/diff/change-groups.pure';
import { CHANGE_OPS } from '../../core/recovery/diff/changes-sql.pure';
import { addLanes, type Lanes, NO_ROWS } from '../../core/recovery/diff/slice-digest.pure';

/** A row's hash, and the two lanes that the database would make of it. */
type Hash = bigint;
const lanesOf = (hashes: readonly Hash[]): Lanes =>
  hashes.reduce((sum, hash) => addLanes(sum, { rows: 1n, a: hash, b: hash * 31n + 7n }), NO_ROWS);

const hash = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Rows by key: what is staged, what is there, and whether a decision skips the change. */
const slice = fc.array(fc.record({ staged: fc.option(hash), live: fc.option(hash), skip: fc.boolean() }), {
  maxLength: 40,
});
type Row = typeof slice extends fc.Arbitrary<readonly (infer R)[]> ? R : never;

function opOf({ staged, live }: Row): ChangeGroup['op'] | undefined {
  if (staged === live) return undefined;
  return live === null ? 'i' : staged === null ? 'd' : 'u';
}

function groupsOf(rows: readonly Row[]): ChangeGroup[] {
  return CHANGE_OPS.flatMap((op) =>
    [false, true].map((skip) => {
      const of = rows.filter((row) => opOf(row) === op && row.skip === skip);
      return {
        op,
        skip,
        count: of.length,
        before: lanesOf(of.flatMap(({ live }) => (live === null ? [] : [live]))),
        after: lanesOf(of.flatMap(({ staged }) => (staged === null ? [] : [staged]))),
      };
    }),
  );
}

test('the live rows are the staged ones with all changes taken back, skipped ones too', () => {
  fc.assert(
    fc.property(slice, (rows) => {
      const staged = lanesOf(rows.flatMap((row) => (row.staged === null ? [] : [row.staged])));
      const live = lanesOf(rows.flatMap((row) => (row.live === null ? [] : [row.live])));
      expect(liveFromStaged(staged, groupsOf(rows))).toEqual(live);
    }),
  );
});

test('after the merge, a skipped row is what it was and every other one what is staged (invariant 19)', () => {
  fc.assert(
    fc.property(slice, (rows) => {
      const live = lanesOf(rows.flatMap((row) => (row.live === null ? [] : [row.live])));
      const merged = rows.map((row) => (row.skip ? row.live : row.staged));
      expect(expectedFromLive(live, groupsOf(rows))).toEqual(
        lanesOf(merged.flatMap((one) => (one === null ? [] : [one]))),
      );
    }),
  );
});

test('counts are of what the merge does, the total is of all changes', () => {
  fc.assert(
    fc.property(slice, (rows) => {
      const groups = groupsOf(rows);
      const { insert, update, delete: gone } = countsOfGroups(groups);
      expect(insert + update + gone).toBe(rows.filter((row) => opOf(row) && !row.skip).length);
      expect(totalOfGroups(groups)).toBe(rows.filter((row) => opOf(row)).length);
    }),
  );
});

test('sums of the database are taken modulo 2^64, and only of the side that is there', () => {
  const row = {
    skip: false,
    count: '2',
    before_a: '-1',
    before_b: '5',
    after_a: '18446744073709551617',
    after_b: null,
  };
  expect(toChangeGroup({ ...row, op: 'u' })).toEqual({
    op: 'u',
    skip: false,
    count: 2,
    before: { rows: 2n, a: 2n ** 64n - 1n, b: 5n },
    after: { rows: 2n, a: 1n, b: 0n },
  });
  expect(toChangeGroup({ ...row, op: 'i' }).before).toEqual(NO_ROWS);
  expect(toChangeGroup({ ...row, op: 'd' }).after).toEqual(NO_ROWS);
});

test('a table of which every staged row comes back has one group, which adds up to what was staged', () => {
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 40 }), (staged) => {
      const after = lanesOf(staged);
      const groups = allStaged({
        stagedRows: staged.length,
        stagedImage: { sha256: '', a: String(after.a), b: String(after.b) },
      });
      expect(groups).toEqual([{ op: 'i', skip: false, count: staged.length, before: NO_ROWS, after }]);
      expect(expectedFromLive(NO_ROWS, groups)).toEqual(after);
      expect(liveFromStaged(after, groups)).toEqual(NO_ROWS);
    }),
  );
});
