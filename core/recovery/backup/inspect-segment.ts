import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgresBin, makeServerDirectory, runProgram } from '../../cluster';
import { CommandFailedError } from '../../errors';
import type { RecoveryContext, StepControl } from '../engine';
import { BackupCommandFailedError } from '../errors/backup-command-failed-error';
import type { BackupProvider } from './provider';
import { serverProgram } from './server-program';
import { parseDumpLine, type StopRecord } from './wal-dump.pure';

/**
 * Reads the records of one archived segment at which recovery can stop, in order.
 *
 * @returns undefined where this host cannot tell: pg_waldump is not installed, or pgBackRest fetches WAL only beside the
 *   cluster's own data directory. Callers then go by the time at which a segment was archived.
 */
export async function inspectSegment(
  ctx: RecoveryContext,
  provider: BackupProvider,
  segment: string,
  control: StepControl,
): Promise<StopRecord[] | undefined> {
  const bin = await findPostgresBin(ctx.config.application.backup.postgresBin);
  const waldump = await serverProgram(bin, 'pg_waldump');
  if (waldump === undefined) return undefined;
  const place = await makeServerDirectory(await mkdtemp(join(tmpdir(), 'chronawflow-wal-')));
  try {
    const file = join(place, segment);
    await provider.fetchSegment(segment, file, control);
    return await dump(waldump, file, control);
  } catch (error) {
    if (!(error instanceof BackupCommandFailedError)) throw error;
    ctx.log.warn({ segment, error: error.message }, 'a WAL segment could not be fetched for inspection');
    return undefined;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function dump(waldump: string, file: string, control: StepControl): Promise<StopRecord[]> {
  const records: StopRecord[] = [];
  try {
    await runProgram(waldump, ['--rmgr=Transaction', '--rmgr=XLOG', file], {
      asServerUser: true,
      env: { TZ: 'UTC', LC_ALL: 'C' },
      signal: control.signal,
      onLine: (line, stream) => {
        const record = stream === 'stdout' ? parseDumpLine(line) : undefined;
        if (record !== undefined) records.push(record);
      },
    });
  } catch (error) {
    // A last record that goes on in the next segment, or a segment that was switched early, ends the dump with an error.
    if (
      !(error instanceof CommandFailedError) ||
      !/could not (read|find)|invalid|error in WAL/.test(error.stderr)
    )
      throw error;
  }
  return records;
}

/** Time of the last commit or abort, if the segment has one. */
export function lastTime(records: readonly StopRecord[]): string | undefined {
  return records.findLast((record) => record.at !== undefined)?.at;
}
