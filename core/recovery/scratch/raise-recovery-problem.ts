import { BackupCommandFailedError } from '../errors/backup-command-failed-error';
import { BackupDamagedError } from '../errors/backup-damaged-error';
import { ScratchDiskFullError } from '../errors/scratch-disk-full-error';
import { ScratchSettingsInsufficientError } from '../errors/scratch-settings-insufficient-error';
import { TargetNotReachedError } from '../errors/target-not-reached-error';
import type { ServerRequest } from './configure-server';
import { freeBytes } from './disk-space';
import type { RecoveryLog } from './recovery-log.pure';

/** Turns what the log says into the error an operator can act on. */
export async function raiseRecoveryProblem(
  { target, paths, restoreId }: ServerRequest,
  log: RecoveryLog,
): Promise<void> {
  const { problem } = log;
  switch (problem?.kind) {
    case undefined:
      return;
    case 'not-reached':
      throw new TargetNotReachedError(target.at ?? `${target.kind} ${target.value}`, problem.lines);
    case 'damaged':
      throw new BackupDamagedError('the WAL archive', problem.files, problem.reason);
    case 'archive-failed':
      throw new BackupCommandFailedError('archive-get', 'an error during recovery', problem.reason);
    case 'disk-full':
      throw new ScratchDiskFullError(
        paths.root,
        { freeBytes: await freeBytes(paths.root) },
        new Error(problem.lines.join(' | ')),
      );
    case 'settings':
      throw new ScratchSettingsInsufficientError(restoreId, problem.lines);
  }
}
