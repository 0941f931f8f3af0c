import fc from 'fast-check';
import { restoreArguments } from '../../core/recovery/backup/pgbackrest/restore-arguments.pure';
import { highest, parseControlData } from '../../core/recovery/scratch/control-data.pure';
import { readRecoveryLog } from '../../core/recovery/scratch/recovery-log.pure';
import { pathsIn, scratchName, scratchPaths } from '../../core/recovery/scratch/scratch-paths.pure';
import { renderSettings, serverSettings } from '../../core/recovery/scratch/server-settings.pure';
import type { ResolvedTarget } from '../../core/recovery/types';

const target: ResolvedTarget = {
  kind: 'time',
  value: '2026-11-23T10:15:00.123456Z',
  timeline: 2,
  backupLabel: '20261123-220900F',
  firstSegment: '000000010000000000000002',
  fenceSegment: '000000020000000000000004',
  fenceToken: 't',
  systemId: '1',
};
const limits = {
  max_connections: 100,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 5,
  max_locks_per_transaction: 64,
};

describe('paths', () => {
  test('different restores never share a directory, and none leaves the scratch directory', () => {
    const id = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(id, id, (a, b) => {
        const name = scratchName(a);
        expect(name).not.toMatch(/\/|^\.|^$/);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        if (a !== b) expect(name).not.toBe(scratchName(b));
      }),
    );
  });

  test("a socket's path never gets longer than the kernel takes", () => {
    fc.assert(
      fc.property(fc.nat(200), (length) => {
        const { socketDirectory } = scratchPaths(`/${'x'.repeat(length)}`, 'restore/acme/1');
        expect(Buffer.byteLength(`${socketDirectory}/.s.PGSQL.65535`)).toBeLessThanOrEqual(107);
      }),
    );
  });
});

describe('settings', () => {
  const request = {
    target,
    restoreCommand: "get '%f'",
    limits,
    trackCommitTimestamp: true,
    durable: false,
    name: 'n',
  };

  test('an operator changes memory and libraries, but not what makes it a scratch cluster', () => {
    const extra = {
      shared_buffers: '2GB',
      archive_mode: 'on',
      recovery_target_action: 'promote',
      shared_preload_libraries: 'x',
    };
    expect(serverSettings({ ...request, extra })).toMatchObject({
      shared_buffers: '2GB',
      shared_preload_libraries: 'x',
      archive_mode: 'off',
      recovery_target_action: 'pause',
      recovery_target_time: '2026-11-23 10:15:00.123456+00',
      recovery_target_timeline: '2',
      max_connections: '100',
      fsync: 'off',
    });
  });

  test('a cluster that is kept is written durably', () => {
    expect(serverSettings({ ...request, extra: {}, durable: true })).toMatchObject({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      autovacuum: 'on',
    });
  });

  test('every value is one quoted string of the file', () => {
    expect(renderSettings({ a: "it's", b: 'back\\slash' })).toMatch(/^a = 'it''s'\nb = 'back\\\\slash'$/m);
  });

  test('limits are the higher of what the backup and the primary have', () => {
    const control = parseControlData(
      [
        'Database system identifier:           7711492396085121417',
        'Bytes per WAL segment:                16777216',
        'max_connections setting:              200',
        'max_worker_processes setting:         4',
        'max_wal_senders setting:              10',
        'max_prepared_xacts setting:           0',
        'max_locks_per_xact setting:           128',
        'track_commit_timestamp setting:       on',
      ].join('\n'),
    );
    if (control === undefined) throw new Error('it is complete');
    expect(control).toMatchObject({
      systemId: '7711492396085121417',
      segmentBytes: 16_777_216,
      trackCommitTimestamp: true,
    });
    expect(highest(control.limits, limits)).toEqual({
      max_connections: 200,
      max_worker_processes: 8,
      max_wal_senders: 10,
      max_prepared_transactions: 5,
      max_locks_per_transaction: 128,
    });
    expect(parseControlData('nothing of that kind')).toBeUndefined();
  });
});

describe("the server's log", () => {
  const at = '2026-11-23 22:38:43.753 UTC [13614]';
  const fetched = `${at} LOG:  restored log file "000000010000000000000003" from archive`;
  const notReached = `${at} FATAL:  recovery ended before configured recovery target was reached`;

  test('the target counts as reached by its own words only', () => {
    const stopping = 'recovery stopping before commit of transaction 738, time 2026-11-23 22:39:17.214597+00';
    expect(readRecoveryLog(`${fetched}\n${at} LOG:  ${stopping}\n`)).toEqual({
      fetched: ['000000010000000000000003'],
      stoppedBecause: stopping,
    });
    expect(
      readRecoveryLog(`${fetched}\n${at} LOG:  consistent recovery state reached`).stoppedBecause,
    ).toBeUndefined();
  });

  test('an end before the target keeps what the server said last', () => {
    const log = [
      fetched,
      `${at} LOG:  invalid record length at 0/5000060: wanted 24, got 0`,
      notReached,
    ].join('\n');
    expect(readRecoveryLog(log).problem).toEqual({
      kind: 'not-reached',
      lines: [
        'LOG:  invalid record length at 0/5000060: wanted 24, got 0',
        'FATAL:  recovery ended before configured recovery target was reached',
      ],
    });
  });

  test.each([
    [
      'damaged',
      'ERROR: [042]: unable to get 000000010000000000000003:\n       repo1: 15-1/0000000100000000/000000010000000000000003-a6.zst [FormatError] zst error: [-20] Data corruption detected',
    ],
    ['archive-failed', 'ERROR: [049]: unable to connect to storage'],
    [
      'archive-failed',
      "ERROR: [055]: unable to move missing source '/s/spool/archive/app/in/000000010000000000000010.pgbackrest.tmp': [2] No such file or directory",
    ],
    ['disk-full', `${at} FATAL:  could not write to file "pg_wal/xlogtemp.1": No space left on device`],
    ['settings', `${at} FATAL:  recovery aborted because of insufficient parameter settings`],
  ])('%s is told from a WAL that merely ends', (kind, line) => {
    expect(readRecoveryLog(`${fetched}\n${line}\n${notReached}`).problem).toMatchObject({ kind });
  });

  test('a segment that is not there yet is no problem by itself', () => {
    expect(readRecoveryLog(fetched).problem).toBeUndefined();
  });
});

test('a restore takes back every option of a configuration file that would write outside its place (scratch 2)', () => {
  const place = pathsIn('/scratch/r');
  const args = restoreArguments({ target, place, resume: false });
  expect(args).toEqual(
    expect.arrayContaining([
      '--archive-mode=off',
      '--target-action=pause',
      '--target=2026-11-23 10:15:00.123456+00',
      '--set=20261123-220900F',
      '--target-timeline=2',
      '--tablespace-map-all=/scratch/r/tablespaces',
      '--reset-tablespace-map',
      '--no-link-all',
      '--reset-link-map',
      '--no-delta',
    ]),
  );
  expect(restoreArguments({ target, place, resume: true })).toContain('--delta');
});
