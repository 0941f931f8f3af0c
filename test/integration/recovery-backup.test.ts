import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  createRecoveryPoint,
  listRecoveryPoints,
  restorableWindow,
  verifyBackup,
} from '../../core/recovery/backup';
import { checkCompliance } from '../../core/recovery/check-compliance';
import { removeScratch, restoreScratch } from '../../core/recovery/scratch';
import { databaseTime, type NotesApplication, notesIn, quiet, startNotes } from './recovery-fixture';

let notes: NotesApplication;

beforeAll(async () => {
  // Its transactions would be among those that are not in the repository yet.
  notes = await startNotes({ settings: { autovacuum: false } });
}, 240_000);
afterAll(() => notes?.stop());

/** The one file of the repository whose name starts like this, anywhere below `kind`. */
async function repositoryFile(kind: 'archive' | 'backup', start: string): Promise<string> {
  const entries = await readdir(join(notes.app.repository.repository, kind), {
    recursive: true,
    withFileTypes: true,
  });
  const found = entries.find((entry) => entry.isFile() && entry.name.startsWith(start));
  if (found === undefined) throw new Error(`no ${start} in the repository`);
  return join(found.parentPath, found.name);
}

async function without(file: string, work: () => Promise<void>): Promise<void> {
  const aside = join(notes.app.directory, basename(file));
  await rename(file, aside);
  try {
    await work();
  } finally {
    await rename(aside, file);
  }
}

async function flipped(file: string, work: () => Promise<void>): Promise<void> {
  const good = await readFile(file);
  const bad = Buffer.from(good);
  const middle = bad.length >> 1;
  bad.writeUInt8(bad.readUInt8(middle) ^ 0xff, middle);
  await writeFile(file, bad);
  try {
    await work();
  } finally {
    await writeFile(file, good);
  }
}

describe('recovery points', () => {
  test('a backup or a named point is recorded once under its ID and can be restored to', async () => {
    const { ctx } = notes;
    await notes.write(1);
    const request = {
      id: 'p1',
      kind: 'incremental',
      name: 'nightly',
      createdBy: 'test',
      reason: 'because',
    } as const;
    const point = await createRecoveryPoint(ctx, request, quiet);
    expect(point).toMatchObject({ ...request, timeline: 1, backupLabel: expect.stringMatching(/I$/) });
    expect(await createRecoveryPoint(ctx, request, quiet)).toEqual(point);
    // Its fence is recorded with it: the row whose commit stands behind it in the WAL.
    const recorded = await notes.app.platform.query<{ fence: string }>(
      'select fence from chronawflow.recovery_point where id = $1',
      ['p1'],
    );
    const fence = await notes.app.superuser.query(
      `select pg_xact_commit_timestamp(xmin) >= $2::timestamptz as behind from chronawflow.fence where token = $1`,
      [recorded.rows[0]?.fence, point.at],
    );
    expect(fence.rows).toEqual([{ behind: true }]);
    // A try that died between the backup and its record does not make a second backup.
    await notes.app.platform.query('delete from chronawflow.recovery_point where id = $1', ['p1']);
    expect((await createRecoveryPoint(ctx, request, quiet)).backupLabel).toBe(point.backupLabel);
    const second = { ...request, id: 'p2', kind: 'named' } as const;
    await expect(createRecoveryPoint(ctx, second, quiet)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const named = await createRecoveryPoint(ctx, { ...second, name: 'x'.repeat(200) }, quiet);
    expect((await listRecoveryPoints(ctx)).map((one) => one.id)).toEqual(['p2', 'p1']);

    await notes.write(2);
    const target = await notes.resolve(`point:${named.name}`);
    expect(target.backupLabel).toBe(point.backupLabel);
    const scratch = await restoreScratch(ctx, 'point', target, quiet);
    expect(await notesIn(scratch)).toEqual([1]);
    await removeScratch(ctx, 'point');
  });
});

describe('23: a damaged repository', () => {
  test('a missing backup file is found before the restore, by name', async () => {
    const target = await notes.resolve('0s ago');
    await without(await repositoryFile('backup', '1259.'), async () => {
      await expect(verifyBackup(notes.ctx, target, quiet)).rejects.toMatchObject({
        code: 'BACKUP_DAMAGED',
        message: expect.stringContaining('pg_data/base/'),
        details: { files: [expect.stringContaining('1259')] },
      });
    });
    await expect(verifyBackup(notes.ctx, target, quiet)).resolves.toMatchObject({
      backupLabel: target.backupLabel,
    });
  });

  test('a flipped byte in a backup file fails the restore and names the file', async () => {
    const target = await notes.resolve('0s ago');
    await flipped(await repositoryFile('backup', '1255.'), async () => {
      await expect(restoreScratch(notes.ctx, 'flipped', target, quiet)).rejects.toMatchObject({
        code: 'BACKUP_DAMAGED',
        details: { files: expect.arrayContaining([expect.stringContaining('1255')]) },
      });
    });
    await removeScratch(notes.ctx, 'flipped');
  });

  test('a flipped byte in a WAL segment fails the recovery and names the segment', async () => {
    await notes.write(3);
    const target = await notes.resolve('0s ago');
    await flipped(await repositoryFile('archive', `${target.fenceSegment}-`), async () => {
      await expect(restoreScratch(notes.ctx, 'flipped-wal', target, quiet)).rejects.toMatchObject({
        code: 'BACKUP_DAMAGED',
        message: expect.stringContaining(target.fenceSegment),
      });
    });
    await removeScratch(notes.ctx, 'flipped-wal');
  });
});

describe('23: a gap in the archived WAL', () => {
  test('is named, spares the targets before it, and ends with the next backup', async () => {
    const { ctx, app } = notes;
    const before = await notes.write(20);
    await notes.write(21);
    await app.archiveNow();
    const { rows } = await app.superuser.query<{ segment: string }>(
      'select pg_walfile_name(pg_current_wal_insert_lsn()) as segment',
    );
    const segment = rows[0]?.segment ?? '';
    const inside = await notes.write(22);
    await app.archiveNow();
    await notes.write(23);
    const late = await databaseTime(app);
    const early = await notes.resolve(late);
    await without(await repositoryFile('archive', `${segment}-`), async () => {
      for (const text of [inside, late]) {
        await expect(notes.resolve(text)).rejects.toMatchObject({
          code: 'TARGET_IN_WAL_GAP',
          message: expect.stringContaining(segment),
          hint: expect.stringContaining('up to'),
        });
      }
      await expect(verifyBackup(ctx, early, quiet)).rejects.toMatchObject({ code: 'TARGET_IN_WAL_GAP' });
      const spared = await notes.resolve(before);
      expect(spared.fenceSegment < segment).toBe(true);
      const scratch = await restoreScratch(ctx, 'spared', spared, quiet);
      expect(await notesIn(scratch)).toContain(20);
      expect(await notesIn(scratch)).not.toContain(21);
      await removeScratch(ctx, 'spared');

      const open = await restorableWindow(ctx);
      expect(open.gaps).toMatchObject([{ segments: segment, beforeExact: true }]);
      expect(open.latest).toBe(open.gaps[0]?.before);

      await app.pgBackRest('backup', '--type=full', '--start-fast');
      const closed = await restorableWindow(ctx);
      expect(closed.gaps).toMatchObject([{ segments: segment, after: expect.any(String) }]);
      expect(closed.latestExact).toBe(true);
      await expect(notes.resolve(inside)).rejects.toMatchObject({ hint: expect.stringContaining('from 20') });
      await app.superuser.query('select pg_sleep(1.1)');
      await expect(notes.resolve('0s ago')).resolves.toMatchObject({ kind: 'time' });
    });
  });

  test('the window without a gap goes from the oldest backup to the last archived commit', async () => {
    await notes.write(30);
    await notes.app.archiveNow();
    const window = await restorableWindow(notes.ctx);
    expect(window).toMatchObject({ timeline: 1, latestExact: true, gaps: [] });
    expect(window.earliest && window.latest && window.earliest < window.latest).toBe(true);
    expect(window.backups.length).toBeGreaterThanOrEqual(2);
  });
});

test('what would be lost is counted from the first commit that is not in the repository, not from the last that is', async () => {
  const { app, ctx } = notes;
  const objectives = { tiers: { all: { rpo: 60_000, rto: 60_000 } }, tenants: {}, defaultTier: 'all' };
  const judged = async () => {
    const { tiers, checkedAt } = await checkCompliance(
      { ...ctx, config: { ...ctx.config, objectives } },
      'a',
    );
    return { rpoMs: tiers[0]?.rpoMs ?? Number.NaN, checkedAt: Date.parse(checkedAt) };
  };
  const archived = Date.parse(await notes.write(40));
  await app.archiveNow();
  expect((await judged()).rpoMs).toBe(0);
  await app.superuser.query('select pg_sleep(1.5)');
  const before = await databaseTime(app);
  await notes.write(41);
  await app.superuser.query('select pg_sleep(0.2)');
  const { rpoMs, checkedAt } = await judged();
  expect(rpoMs).toBeGreaterThanOrEqual(199);
  expect(rpoMs).toBeLessThanOrEqual(checkedAt - Date.parse(before) + 1);
  expect(rpoMs).toBeLessThan(checkedAt - archived);
  // A busy cluster: more transactions than are looked at, so the first of them may be as old as the last restorable one.
  await app.superuser.query(`do $$ begin for i in 1..10100 loop
    perform pg_current_xact_id(); commit; end loop; end $$`);
  const busy = await judged();
  expect(busy.rpoMs).toBeGreaterThan(busy.checkedAt - archived - 1_500);
});
