import fc from 'fast-check';
import { branchesBeside } from '../../core/recovery/backup/archive-branches.pure';
import type { ArchivedSegment, BackupSummary } from '../../core/recovery/backup/provider';
import {
  formatLsn,
  type Lsn,
  parseLsn,
  parseSegment,
  segmentName,
  segmentNumber,
  segmentStart,
} from '../../core/recovery/backup/segment.pure';
import {
  leadsTo,
  lineageOf,
  parseHistory,
  segmentOn,
  timelineAt,
} from '../../core/recovery/backup/timeline.pure';
import { describeGap, findGaps } from '../../core/recovery/backup/wal-continuity.pure';
import { parseDumpLine } from '../../core/recovery/backup/wal-dump.pure';
import { fromSeconds } from '../../core/recovery/target/instant.pure';
import { planRecovery } from '../../core/recovery/target/plan-recovery.pure';

const MB = 1024 * 1024;

const anyLsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value as Lsn);

/** PostgreSQL allows powers of two from 1 MB to 1 GB. */
const anySegmentBytes = fc.integer({ min: 0, max: 10 }).map((power) => MB * 2 ** power);

const present = (names: Iterable<string>): Map<string, ArchivedSegment> =>
  new Map([...names].map((name) => [name, { bytes: 1, archivedAt: 0, contradictory: false }]));

describe('segments', () => {
  test('an LSN survives its text form', () => {
    fc.assert(fc.property(anyLsn, (lsn) => expect(parseLsn(formatLsn(lsn))).toBe(lsn)));
  });

  test('a name says its timeline and number again, for every segment size', () => {
    fc.assert(
      fc.property(
        anyLsn,
        fc.integer({ min: 1, max: 0xffff_ffff }),
        anySegmentBytes,
        (lsn, timeline, bytes) => {
          const segment = { timeline, number: segmentNumber(lsn, bytes) };
          expect(parseSegment(segmentName(segment, bytes), bytes)).toEqual(segment);
          expect(segmentStart(segment.number, bytes) <= lsn).toBe(true);
          expect(lsn < segmentStart(segment.number + 1n, bytes)).toBe(true);
        },
      ),
    );
  });

  test('names sort in the order of the WAL on one timeline', () => {
    fc.assert(
      fc.property(anyLsn, anyLsn, anySegmentBytes, (a, b, bytes) => {
        const name = (lsn: Lsn) => segmentName({ timeline: 1, number: segmentNumber(lsn, bytes) }, bytes);
        expect(name(a) < name(b)).toBe(segmentNumber(a, bytes) < segmentNumber(b, bytes));
      }),
    );
  });

  test('what PostgreSQL prints', () => {
    expect(segmentName({ timeline: 1, number: 256n }, 16 * MB)).toBe('000000010000000100000000');
    expect(parseSegment('0000000100000000000000FF', 16 * MB)).toEqual({ timeline: 1, number: 255n });
    expect(parseSegment('000000010000000000000100', 16 * MB)).toBeUndefined();
    expect(parseSegment('00000002.history', 16 * MB)).toBeUndefined();
  });
});

describe('timelines', () => {
  const history = parseHistory(
    '1\t0/5000000\tno recovery target specified\n\n# a comment\n2\t0/A000123\tbefore 2026-11-23\n',
  );
  const lineage = lineageOf(3, history);

  test('a history leads from the first timeline to its own', () => {
    expect(lineage.map(({ timeline, start }) => [timeline, formatLsn(start)])).toEqual([
      [1, '0/0'],
      [2, '0/5000000'],
      [3, '0/A000123'],
    ]);
    expect(timelineAt(lineage, parseLsn('0/4FFFFFF'))).toBe(1);
    expect(timelineAt(lineage, parseLsn('0/A000123'))).toBe(3);
  });

  test('where a timeline ends inside a segment, its successor has the whole of it', () => {
    expect(segmentOn(lineage, segmentNumber(parseLsn('0/A000000'), 16 * MB), 16 * MB).timeline).toBe(3);
    expect(segmentOn(lineage, segmentNumber(parseLsn('0/9FFFFFF'), 16 * MB), 16 * MB).timeline).toBe(2);
  });

  test('a backup behind the end of its timeline does not lead on', () => {
    expect(leadsTo(lineage, 1, parseLsn('0/4000000'))).toBe(true);
    expect(leadsTo(lineage, 1, parseLsn('0/6000000'))).toBe(false);
    expect(leadsTo(lineage, 4, parseLsn('0/6000000'))).toBe(false);
  });

  test('a line that is no history is refused', () => expect(() => parseHistory('what')).toThrow(RangeError));

  test('WAL beside the lineage is a branch, the shared beginning is not', () => {
    const segments = present([
      '000000010000000000000004',
      '000000010000000000000005',
      '000000010000000000000006',
      '000000020000000000000005',
      '00000003000000000000000A',
    ]);
    const histories = new Map([[3, history]]);
    const branches = branchesBeside({ lineage, histories, segments, segmentBytes: 16 * MB });
    expect(branches.map(({ timeline, first, last }) => [timeline, first.number, last.number])).toEqual([
      [1, 5n, 6n],
    ]);
  });
});

describe('WAL continuity', () => {
  const lineage = lineageOf(1, []);
  const bytes = 16 * MB;
  const name = (number: number) => segmentName({ timeline: 1, number: BigInt(number) }, bytes);

  test('every missing segment lies in exactly one gap, and no present one in any', () => {
    const listing = fc.uniqueArray(fc.nat(60), { maxLength: 60 });
    fc.assert(
      fc.property(listing, fc.nat(30), fc.nat(30), (numbers, from, length) => {
        const to = from + length;
        const names = new Set(numbers.map(name));
        const gaps = findGaps({
          lineage,
          from: BigInt(from),
          to: BigInt(to),
          present: names,
          segmentBytes: bytes,
        });
        const missing: number[] = [];
        for (const gap of gaps) {
          for (let n = gap.firstMissing.number; n <= gap.lastMissing.number; n += 1n) missing.push(Number(n));
        }
        const expected = Array.from({ length: length + 1 }, (_, i) => from + i).filter(
          (n) => !names.has(name(n)),
        );
        expect(missing).toEqual(expected);
        for (const gap of gaps) {
          if (gap.lastPresent !== undefined)
            expect(gap.lastPresent.number).toBe(gap.firstMissing.number - 1n);
        }
      }),
    );
  });

  test('a gap is named by its ends', () => {
    const gaps = findGaps({
      lineage,
      from: 1n,
      to: 9n,
      present: new Set([1, 2, 5, 6, 8, 9].map(name)),
      segmentBytes: bytes,
    });
    expect(gaps.map((gap) => describeGap(gap, bytes))).toEqual([`${name(3)} to ${name(4)}`, name(7)]);
  });

  const backup = (label: string, start: number, stop: number, stoppedAt: number): BackupSummary => ({
    label,
    kind: 'full',
    systemId: '1',
    archiveStart: name(start),
    archiveStop: name(stop),
    lsnStart: formatLsn(segmentStart(BigInt(start), bytes)),
    lsnStop: formatLsn(segmentStart(BigInt(stop), bytes) + 256n),
    startedAt: stoppedAt - 1,
    stoppedAt,
    clusterBytes: 1,
    repositoryBytes: 1,
    flawed: false,
    references: [],
  });

  test('the newest backup that ended before the target is taken, and never a plan across a gap', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 40 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 0, max: 400 }), (archived, at) => {
        const backups = [backup('a', 5, 6, 60), backup('b', 15, 15, 150), backup('c', 25, 26, 260)];
        const names = new Set(archived.map(name));
        const plan = planRecovery({
          position: { kind: 'time', at: fromSeconds(at) },
          lineage,
          backups,
          segments: present(names),
          segmentBytes: bytes,
          last: 40n,
        });
        const expected = backups.findLast((candidate) => candidate.stoppedAt < at);
        if (plan.kind === 'before-first-backup') {
          expect(expected).toBeUndefined();
          expect(plan.earliest?.label).toBe('a');
          return;
        }
        expect(plan.backup.label).toBe(expected?.label);
        if (plan.last !== undefined) {
          for (let n = plan.first; n <= plan.last; n += 1n) expect(names.has(name(Number(n)))).toBe(true);
        }
        if (plan.kind === 'gap') expect(names.has(segmentName(plan.gap.firstMissing, bytes))).toBe(false);
      }),
    );
  });

  test('a flawed backup is passed over', () => {
    const backups = [backup('a', 5, 6, 60), { ...backup('b', 15, 15, 150), flawed: true }];
    const segments = present(Array.from({ length: 40 }, (_, i) => name(i + 1)));
    const position = { kind: 'time', at: fromSeconds(300) } as const;
    const plan = planRecovery({ position, lineage, backups, segments, segmentBytes: bytes, last: 20n });
    expect(plan).toMatchObject({ kind: 'ready', backup: { label: 'a' }, first: 5n, last: 20n });
  });
});

describe('WAL records', () => {
  test('commits, aborts and restore points are read, with the time in microseconds', () => {
    const prefix =
      'rmgr: Transaction len (rec/tot):     34/    34, tx:        725, lsn: 0/03001E58, prev 0/03001E10, desc: ';
    const at = '2026-11-23T22:09:23.769516Z';
    expect(parseDumpLine(`${prefix}COMMIT 2026-11-23 22:09:23.769516 UTC; inval msgs: catcache 50`)).toEqual({
      lsn: '0/03001E58',
      kind: 'commit',
      xid: '725',
      at,
    });
    expect(parseDumpLine(`${prefix}COMMIT_PREPARED 800: 2026-11-23 22:09:23.769516 UTC`)).toMatchObject({
      xid: '800',
      at,
    });
    expect(parseDumpLine(`${prefix}ABORT 2026-11-23 22:09:23.769516 UTC`)).toMatchObject({
      kind: 'abort',
      at,
    });
    expect(parseDumpLine(`${prefix}RESTORE_POINT before the import`)).toMatchObject({
      kind: 'restore-point',
      name: 'before the import',
    });
    expect(parseDumpLine(`${prefix}ASSIGNMENT xtop 5`)).toBeUndefined();
  });
});
