import fc from 'fast-check';
import { branchesBeside } from '../../core/recovery/backup/archive-branches.pure';
import { classifyFailure } from '../../core/recovery/backup/pgbackrest/failure.pure';
import { archivesOf, contentOf, parseInfo } from '../../core/recovery/backup/pgbackrest/info.pure';
import { archiveListing } from '../../core/recovery/backup/pgbackrest/listing.pure';
import { compareFiles, manifestFiles } from '../../core/recovery/backup/pgbackrest/manifest.pure';
import { restoredPercent, shellWord } from '../../core/recovery/backup/pgbackrest/restore-arguments.pure';
import type { ArchivedSegment, BackupSummary } from '../../core/recovery/backup/provider';
import { restorePointName } from '../../core/recovery/backup/restore-point-name.pure';
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

describe('what pgBackRest says', () => {
  const info = JSON.stringify([
    {
      name: 'app',
      status: { code: 0, message: 'ok' },
      repo: [{ key: 1, status: { code: 0, message: 'ok' } }],
      db: [
        { id: 1, 'repo-key': 1, 'system-id': 'OLD', version: '14' },
        { id: 2, 'repo-key': 1, 'system-id': 'NEW', version: '15' },
      ],
      archive: [
        { id: '14-1', database: { id: 1, 'repo-key': 1 } },
        { id: '15-2', database: { id: 2, 'repo-key': 1 } },
      ],
      backup: [
        {
          label: '20261123-220900F',
          type: 'full',
          archive: { start: '000000010000000000000002', stop: '000000010000000000000002' },
          lsn: { start: '0/2000028', stop: '0/2000100' },
          timestamp: { start: 1, stop: 2 },
          database: { id: 2, 'repo-key': 1 },
          info: { size: 10, repository: { delta: 5 } },
          error: false,
          reference: null,
        },
      ],
    },
  ])
    .replace('"OLD"', '7711492396085121417')
    .replace('"NEW"', '7711492396085121418');

  test('system identifiers keep all of their 64 bits, and old clusters of the stanza stay apart', () => {
    const parsed = parseInfo(info, 'app');
    if (parsed === undefined) throw new Error('the stanza is there');
    expect(contentOf(parsed, '7711492396085121418').backups).toMatchObject([
      { label: '20261123-220900F', kind: 'full' },
    ]);
    expect(contentOf(parsed, '7711492396085121417').backups).toEqual([]);
    expect(archivesOf(parsed, '7711492396085121418')).toEqual([{ repository: 1, id: '15-2' }]);
    expect(parseInfo(info, 'other')).toBeUndefined();
  });

  test('a listing knows whole segments, histories, and segments stored twice', () => {
    const file = (name: string, size = 1) =>
      [`15-1/0000000100000000/${name}`, { type: 'file', size, time: 5 }] as const;
    const sha = (digit: string) => digit.repeat(40);
    const { segments, timelinesWithHistory } = archiveListing([
      Object.fromEntries([
        file(`000000010000000000000001-${sha('a')}.zst`),
        file(`000000010000000000000002-${sha('a')}`),
        file(`000000010000000000000003-${sha('a')}.gz`, 0),
        file('000000010000000000000004.partial'),
        file(`000000010000000000000004.partial-${sha('a')}.zst`),
        file('000000010000000000000002.00000028.backup'),
      ]),
      Object.fromEntries([
        file(`000000010000000000000001-${sha('b')}.zst`),
        file(`000000010000000000000002-${sha('a')}.lz4`),
        ['15-1/00000002.history', { type: 'file', size: 1, time: 5 }],
      ]),
    ]);
    expect([...segments].map(([name, { contradictory }]) => [name, contradictory])).toEqual([
      ['000000010000000000000001', true],
      ['000000010000000000000002', false],
    ]);
    expect([...timelinesWithHistory]).toEqual([2]);
  });

  test('a manifest leads to the files of this backup and of those it builds on', () => {
    const manifest = [
      '[target:file]',
      'pg_data/a={"checksum":"x","repo-size":32,"size":3}',
      'pg_data/odd={name}={"reference":"OLDF","size":7}',
      'pg_data/small={"bni":4,"bno":9,"size":5}',
      'pg_data/empty={"size":0}',
      '[target:file:default]',
      'group="postgres"',
    ].join('\n');
    const files = manifestFiles(manifest, 'NEW');
    expect(files).toEqual([
      { path: 'NEW/pg_data/a', bytes: 32 },
      { path: 'OLDF/pg_data/odd={name}', bytes: 7 },
      { path: 'NEW/bundle/4' },
      { path: 'NEW/pg_data/empty', bytes: 0 },
    ]);
    const listing = {
      'NEW/pg_data/a.zst': { type: 'file', size: 31 },
      'NEW/bundle/4': { type: 'file', size: 9 },
    } as const;
    expect(compareFiles(files, listing)).toEqual([
      { file: 'NEW/pg_data/a.zst', problem: 'wrong size' },
      { file: 'OLDF/pg_data/odd={name}', problem: 'missing' },
      { file: 'NEW/pg_data/empty', problem: 'missing' },
    ]);
  });

  test('its failures are told apart, and secrets do not pass', () => {
    const damaged = classifyFailure(
      26,
      "ERROR: [026]: raised from local-1 protocol: error restoring '/x/base/1/1255': actual checksum 'a' does not match expected checksum 'b'\n [ChecksumError] on retry after 0ms",
    );
    expect(damaged).toMatchObject({ kind: 'damaged', files: ['/x/base/1/1255'] });
    expect(classifyFailure(64, "ERROR: [064]: unable to write '/x/y'")).toMatchObject({
      kind: 'cannot-write',
    });
    const other = classifyFailure(
      49,
      'ERROR: [049]: unable to connect repo1-s3-key-secret=hunter2 repo1-cipher-pass: hunter3',
    );
    expect(other.kind).toBe('other');
    expect(JSON.stringify(other)).not.toContain('hunter');
  });

  test('progress of a restore, also of a file with brackets in its name', () => {
    expect(restoredPercent('2026 P01 DETAIL: restore file /tmp/a (1)/112 (8KB, 12.34%) checksum 58')).toBe(
      12.34,
    );
    expect(restoredPercent('2026 P00   INFO: restore command begin')).toBeUndefined();
  });

  test('a word for the shell of restore_command survives quotes, blanks and percent signs', () => {
    expect(shellWord("/it's/50% off")).toBe("'/it'\\''s/50%% off'");
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

test('the name of a restore point fits into PostgreSQL, whatever its length and script', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (name) => {
      const result = restorePointName(name, 'c4884673-6377');
      expect(Buffer.byteLength(result)).toBeLessThanOrEqual(63);
      expect(result.endsWith('#c4884673')).toBe(true);
    }),
  );
});
