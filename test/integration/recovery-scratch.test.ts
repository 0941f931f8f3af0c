import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serverStatus } from '../../core/cluster';
import type { RecoveryContext } from '../../core/recovery/engine';
import {
  connectScratch,
  ensureScratch,
  removeEveryScratch,
  removeScratch,
  restoreScratch,
  sweepScratch,
  validateScratch,
} from '../../core/recovery/scratch';
import { processesWith } from '../../core/recovery/scratch/leftover-processes';
import { pathsIn, scratchPaths } from '../../core/recovery/scratch/scratch-paths.pure';
import type { ResolvedTarget, ScratchHandle } from '../../core/recovery/types';
import { kill } from '../support/kill';
import { onSmallDisk } from '../support/small-disk';
import { withStuckBackupFile } from '../support/stuck-backup-file';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';
import { elsewhere, type NotesApplication, notesIn, quiet, startNotes } from './recovery-fixture';

let notes: NotesApplication;
let ctx: RecoveryContext;
let tablespace: string;
/** Two rows before it, one behind it. */
let target: ResolvedTarget;

beforeAll(async () => {
  tablespace = await throwawayDirectory('ts');
  notes = await startNotes({
    schema: async (db) => {
      await db.query(`create tablespace elsewhere location '${tablespace}'`);
      await db.query('create table public.kept_elsewhere (id int) tablespace elsewhere');
      // Written to postgresql.auto.conf, which is restored with the cluster; any of them would stop or betray scratch.
      await db.query(`alter system set shared_preload_libraries = 'no_such_library'`);
      await db.query(`alter system set listen_addresses = '*'`);
      await db.query(`alter system set recovery_min_apply_delay = '1h'`);
    },
  });
  ctx = notes.ctx;
  await notes.write(1);
  const at = await notes.write(2);
  await notes.write(3);
  target = await notes.resolve(at);
}, 240_000);
afterAll(async () => {
  await notes?.stop();
  await removeDirectory(tablespace);
});

const pathsOf = (restoreId: string) =>
  scratchPaths(ctx.config.application.backup.scratchDirectory, restoreId);

const withScratchIn = (scratchDirectory: string): RecoveryContext => {
  const { application } = ctx.config;
  const backup = { ...application.backup, scratchDirectory };
  return { ...ctx, config: { ...ctx.config, application: { ...application, backup } } };
};

async function serverPid(scratch: ScratchHandle): Promise<number> {
  const status = await serverStatus(pathsIn(scratch.directory).dataDirectory);
  if (status.kind === 'stopped') throw new Error('the scratch server does not run');
  return status.pid;
}

/** Restores that begin within `work` stand in the middle of the backup's files until `goOn`. */
const inTheMiddle = (work: (goOn: () => Promise<void>) => Promise<void>) =>
  withStuckBackupFile(notes.app.repository.repository, work);

async function withScratch(
  restoreId: string,
  work: (scratch: ScratchHandle) => Promise<void>,
): Promise<void> {
  try {
    await work(await restoreScratch(ctx, restoreId, target, quiet));
  } finally {
    await removeScratch(ctx, restoreId);
  }
}

test('a restore holds what was committed before the target and nothing later (scratch 3)', async () => {
  const steps = new Set<string>();
  const control = { progress: (state: { readonly step: string }) => void steps.add(state.step) };
  const scratch = await restoreScratch(ctx, 'restore/acme/1', target, control);
  expect(await notesIn(scratch)).toEqual([1, 2]);
  expect(await validateScratch(ctx, scratch, target, quiet)).toMatchObject({
    timeline: 1,
    stoppedBecause: expect.stringMatching(/^recovery stopping before commit of transaction/),
    lastCommit: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect([...steps]).toContain('recovering');

  const pid = await serverPid(scratch);
  expect(await restoreScratch(ctx, 'restore/acme/1', target, quiet)).toEqual(scratch);
  expect(await serverPid(scratch)).toBe(pid);
  await removeScratch(ctx, 'restore/acme/1');
});

test('22: nothing of the original is used or touched: tablespaces are mapped in, its settings are not taken over (scratch 2)', async () => {
  const before = await readdir(tablespace, { recursive: true });
  await withScratch('mapped', async (scratch) => {
    const pool = connectScratch(scratch);
    try {
      const { rows } = await pool.query<{
        location: string;
        preload: string;
        archive: string;
        listen: string;
      }>(`
        select pg_tablespace_location(oid) as location, current_setting('shared_preload_libraries') as preload,
               current_setting('archive_mode') as archive, current_setting('listen_addresses') as listen
          from pg_tablespace where spcname = 'elsewhere'`);
      expect(rows).toEqual([
        { location: expect.stringContaining(scratch.directory), preload: '', archive: 'off', listen: '' },
      ]);
      await pool.query('select count(*) from public.kept_elsewhere');
    } finally {
      await pool.end();
    }
  });
  expect(await readdir(tablespace, { recursive: true })).toEqual(before);
});

test('removal leaves no process, socket or file, and a second one has nothing to do (scratch 5)', async () => {
  const scratch = await restoreScratch(ctx, 'remove', target, quiet);
  const pid = await serverPid(scratch);
  await removeScratch(ctx, 'remove');
  expect(existsSync(scratch.directory)).toBe(false);
  expect(existsSync(scratch.socketDirectory)).toBe(false);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(await processesWith(`--pg1-path=${join(scratch.directory, 'data')}`)).toEqual([]);
  await removeScratch(ctx, 'remove');
});

test('a server that was killed is started again at the same target (scratch 4)', async () => {
  await withScratch('killed-server', async (scratch) => {
    process.kill(await serverPid(scratch), 'SIGKILL');
    await until(async () => (await serverStatus(join(scratch.directory, 'data'))).kind === 'stopped');
    expect(await ensureScratch(ctx, scratch, target)).toEqual(scratch);
    expect(await notesIn(scratch)).toEqual([1, 2]);
    await validateScratch(ctx, scratch, target, quiet);
  });
});

test('a restore whose pgBackRest was killed is resumed (scratch 4)', async () => {
  const { dataDirectory } = pathsOf('killed-restore');
  await inTheMiddle(async () => {
    const first = restoreScratch(ctx, 'killed-restore', target, quiet);
    const failed = expect(first).rejects.toMatchObject({ code: 'BACKUP_COMMAND_FAILED', retryable: true });
    await until(
      () =>
        existsSync(join(dataDirectory, 'backup.manifest')) || existsSync(join(dataDirectory, 'PG_VERSION')),
    );
    for (const pid of await processesWith(`--pg1-path=${dataDirectory}`)) kill(pid);
    await failed;
  });
  await withScratch('killed-restore', async (scratch) => expect(await notesIn(scratch)).toEqual([1, 2]));
});

test('a restore that a dead worker left running is ended before the next try (scratch 4)', async () => {
  const { dataDirectory } = pathsOf('orphan');
  await inTheMiddle(async (goOn) => {
    const orphan = restoreScratch(ctx, 'orphan', target, quiet).then(
      () => 'finished',
      (error) => error.code,
    );
    await until(
      () =>
        existsSync(join(dataDirectory, 'backup.manifest')) || existsSync(join(dataDirectory, 'PG_VERSION')),
    );
    await Promise.all([
      withScratch('orphan', async (scratch) => expect(await notesIn(scratch)).toEqual([1, 2])),
      orphan.finally(goOn),
    ]);
    expect(await orphan).toBe('BACKUP_COMMAND_FAILED');
  });
});

test('an abort stops the restore and its processes', async () => {
  const abort = new AbortController();
  const { dataDirectory } = pathsOf('aborted');
  await inTheMiddle(async () => {
    const restoring = restoreScratch(ctx, 'aborted', target, { signal: abort.signal });
    const failed = expect(restoring).rejects.toThrow('enough');
    await until(() => existsSync(join(dataDirectory, 'base')));
    abort.abort(new Error('enough'));
    await failed;
    await until(async () => (await processesWith(`--pg1-path=${dataDirectory}`)).length === 0);
  });
  await removeScratch(ctx, 'aborted');
  expect(existsSync(pathsOf('aborted').root)).toBe(false);
});

test('two restores run side by side', async () => {
  await Promise.all([
    withScratch('side/a', async (scratch) => expect(await notesIn(scratch)).toEqual([1, 2])),
    withScratch('side/b', async (scratch) => expect(await notesIn(scratch)).toEqual([1, 2])),
  ]);
});

test('22: a directory of somebody else is neither filled nor removed (scratch 1)', async () => {
  const { root } = pathsOf('theirs');
  await mkdir(root);
  await writeFile(join(root, 'precious'), 'data');
  await expect(restoreScratch(ctx, 'theirs', target, quiet)).rejects.toMatchObject({
    code: 'SCRATCH_NOT_OURS',
  });
  await expect(removeScratch(ctx, 'theirs')).rejects.toMatchObject({ code: 'SCRATCH_NOT_OURS' });
  expect(await readFile(join(root, 'precious'), 'utf8')).toBe('data');
  await sweepScratch(ctx, () => false);
  expect(await readdir(root)).toEqual(['precious']);
  await rm(root, { recursive: true });
});

test('the sweep removes what no active restore needs, and whoever takes all down the rest, but nothing of others', async () => {
  const kept = await restoreScratch(ctx, 'kept', target, quiet);
  const orphan = await restoreScratch(ctx, 'dead/worker', target, quiet);
  expect(await sweepScratch(ctx, (restoreId) => restoreId === 'kept')).toEqual(['dead/worker']);
  expect(existsSync(orphan.directory)).toBe(false);
  expect(await notesIn(kept)).toEqual([1, 2]);
  const { root: theirs } = pathsOf('theirs');
  await mkdir(theirs);
  await removeEveryScratch(ctx.config.application.backup.scratchDirectory);
  expect(existsSync(kept.directory)).toBe(false);
  expect(existsSync(theirs)).toBe(true);
  await rm(theirs, { recursive: true });
});

test('a scratch cluster of another host or without its directory is lost, with a clear error', async () => {
  await withScratch('lost', async (scratch) => {
    await expect(ensureScratch(ctx, elsewhere(scratch), target)).rejects.toMatchObject({
      code: 'SCRATCH_LOST',
    });
    await removeScratch(ctx, 'lost');
    await expect(ensureScratch(ctx, scratch, target)).rejects.toMatchObject({ code: 'SCRATCH_LOST' });
  });
});

test('a disk that cannot hold the cluster is refused before anything is written', async () => {
  await onSmallDisk('40m', async (directory) => {
    const small = withScratchIn(directory);
    await expect(restoreScratch(small, 'full', target, quiet)).rejects.toMatchObject({
      code: 'SCRATCH_DISK_FULL',
      message: expect.stringMatching(/needs about [\d,]+ MB in .*, and [\d,]+ MB are free/),
    });
    await removeScratch(small, 'full');
  });
});

test('a disk that fills up during the restore gives the same error', async () => {
  await onSmallDisk('200m', async (directory) => {
    const small = withScratchIn(directory);
    await inTheMiddle(async (goOn) => {
      const restoring = restoreScratch(small, 'filled', target, quiet);
      const failed = expect(restoring).rejects.toMatchObject({ code: 'SCRATCH_DISK_FULL' });
      const { dataDirectory } = scratchPaths(directory, 'filled');
      await until(() => existsSync(join(dataDirectory, 'base')));
      // Somebody else's data takes the space that was free when it was checked.
      execFileSync('sh', [
        '-c',
        `dd if=/dev/zero of=${join(directory, 'ballast')} bs=1M status=none || true`,
      ]);
      await goOn();
      await failed;
    });
    await rm(join(directory, 'ballast'));
    await removeScratch(small, 'filled');
  });
}, 240_000);
