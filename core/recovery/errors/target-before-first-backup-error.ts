import { ChronawflowError } from '../../errors';

/** No backup ended before the target, so there is nothing to roll forward from. */
export class TargetBeforeFirstBackupError extends ChronawflowError {
  readonly code = 'TARGET_BEFORE_FIRST_BACKUP';

  /** @param earliest the earliest restorable time or LSN; absent when the repository has no usable backup. */
  constructor(target: string, earliest: string | undefined) {
    super(
      earliest === undefined
        ? `the target ${target} cannot be restored: the repository has no usable backup of this cluster`
        : `the target ${target} lies before the oldest backup; the earliest that can be restored is ${earliest}`,
      {
        hint:
          earliest === undefined
            ? 'Make one: chronawflow recovery create --kind full'
            : 'Choose a later target; `chronawflow recovery points` shows what can be restored.',
        details: { target, earliest },
      },
    );
  }
}
