import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeServerDirectory } from '../../cluster';
import { backupProvider } from '../backup/backup-provider';
import type { RecoveryContext, StepControl } from '../engine';
import { BackupCommandFailedError } from '../errors/backup-command-failed-error';
import { BackupDamagedError } from '../errors/backup-damaged-error';
import type { ResolvedTarget } from '../types';

/** Replay stops at the first record that is not sound: in the last segment it fetched, or at the seam before it. */
const SUSPECTS = 4;

/**
 * Recovery that ends too early may have met damaged WAL: pgBackRest hands a segment on without comparing it with the SHA-1
 * in its file's name, and PostgreSQL takes an unsound record for the end of the WAL. The last segments are compared here.
 *
 * @returns undefined when they are as they were archived, or when this host cannot fetch them.
 */
export async function findDamagedWal(
  ctx: RecoveryContext,
  target: ResolvedTarget,
  fetched: readonly string[],
  control: StepControl,
): Promise<BackupDamagedError | undefined> {
  const provider = backupProvider(ctx.config.application.backup);
  const { segments } = await provider.listArchive(target.systemId, control);
  const place = await makeServerDirectory(await mkdtemp(join(tmpdir(), 'chronawflow-wal-')));
  try {
    for (const name of [...new Set(fetched)].slice(-SUSPECTS).reverse()) {
      const expected = segments.get(name)?.checksum;
      if (expected === undefined) continue;
      const file = join(place, name);
      await provider.fetchSegment(name, file, control);
      if ((await sha1(file)) !== expected) {
        return new BackupDamagedError(
          'the WAL archive',
          [name],
          `the content of segment ${name} is not what its checksum says`,
        );
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof BackupDamagedError) return error;
    if (!(error instanceof BackupCommandFailedError)) throw error;
    ctx.log.warn({ error: error.message }, 'WAL could not be fetched to compare its checksum');
    return undefined;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function sha1(file: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
