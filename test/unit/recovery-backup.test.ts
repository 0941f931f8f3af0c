import fc from 'fast-check';
import { classifyFailure } from '../../core/recovery/backup/pgbackrest/failure.pure';
import { archivesOf, contentOf, parseInfo } from '../../core/recovery/backup/pgbackrest/info.pure';
import { archiveListing } from '../../core/recovery/backup/pgbackrest/listing.pure';
import { compareFiles, manifestFiles } from '../../core/recovery/backup/pgbackrest/manifest.pure';
import { restoredPercent, shellWord } from '../../core/recovery/backup/pgbackrest/restore-arguments.pure';
import { restorePointName } from '../../core/recovery/backup/restore-point-name.pure';

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

test('the name of a restore point fits into PostgreSQL, whatever its length and script', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (name) => {
      const result = restorePointName(name, 'c4884673-6377');
      expect(Buffer.byteLength(result)).toBeLessThanOrEqual(63);
      expect(result.endsWith('#c4884673')).toBe(true);
    }),
  );
});
