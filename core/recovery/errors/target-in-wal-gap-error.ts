import { ChronawflowError } from '../../errors';

export interface MissingWal {
  /** Names of the missing segments: one, or `first to last`. */
  readonly segments: string;
  /** Latest restorable time before the gap and earliest after it, where known. */
  readonly before?: string;
  readonly after?: string;
}

/** Write-ahead log between the backup and the target is not in the repository. */
export class TargetInWalGapError extends ChronawflowError {
  readonly code = 'TARGET_IN_WAL_GAP';

  constructor(target: string, backupLabel: string, gap: MissingWal) {
    super(
      `the target ${target} cannot be reached from backup ${backupLabel}: the repository lacks WAL ${gap.segments}`,
      {
        hint: `Choose a target ${bounds(gap)}, or put the missing segments back into the repository.`,
        details: { target, backupLabel, ...gap },
      },
    );
  }
}

function bounds({ before, after }: MissingWal): string {
  const parts = [before && `up to ${before}`, after && `from ${after} on`].filter(Boolean);
  return parts.length > 0 ? parts.join(' or ') : 'covered by another backup';
}
