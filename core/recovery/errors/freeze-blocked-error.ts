import { ChronawflowError } from '../../errors';
import { type Blocker, describeBlocker } from '../gate/blocker.pure';

/**
 * Other sessions held locks on the tenant's tables in every try. No row was changed, the gate is open and its triggers are
 * removed, except where that is blocked as well: those let everybody pass until the sweep takes them. Not retryable: the
 * tries are over, each of them held others up, and somebody has to end the blocker first.
 */
export class FreezeBlockedError extends ChronawflowError {
  readonly code = 'FREEZE_BLOCKED';

  constructor(
    restore: { readonly restoreId: string; readonly tenant: string },
    attempts: number,
    readonly blockers: readonly Blocker[],
  ) {
    super(
      `Tenant ${restore.tenant} could not be frozen for restore ${restore.restoreId} in ${attempts} ${attempts === 1 ? 'try' : 'tries'}; ` +
        `no row was changed and the tenant writes on. ${blockers.length === 0 ? 'No holder of a lock was seen afterwards: the work does not fit into the lock timeout.' : `In the way: ${blockers.map(describeBlocker).join('; ')}.`}`,
      {
        hint: hintFor(blockers),
        details: { tenant: restore.tenant, restoreId: restore.restoreId, attempts, blockers },
      },
    );
  }
}

function hintFor(blockers: readonly Blocker[]): string {
  const first = blockers[0];
  if (first === undefined)
    return 'Raise recovery.lockTimeout or recovery.lockAttempts, or freeze in a quieter hour.';
  if (first.kind === 'prepared') {
    return `Finish the prepared transaction as its owner: COMMIT PREPARED or ROLLBACK PREPARED for gid ${first.gid}. Then freeze again.`;
  }
  return `Let the session end its transaction, or end it: select pg_terminate_backend(${first.pid}); then freeze again.`;
}
