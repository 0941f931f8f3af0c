import { ChronawflowError } from '../../errors';
import { shellWord } from '../shell-word.pure';

/** Another restore or undo of the same tenant has not been closed yet. */
export class RestoreInProgressError extends ChronawflowError {
  readonly code = 'RESTORE_IN_PROGRESS';
  override readonly kind = 'refused';

  constructor(
    tenant: string,
    running: { readonly id: string; readonly workflowId: string; readonly kind: string },
  ) {
    const article = /^[aeiou]/.test(running.kind) ? 'an' : 'a';
    super(
      `Tenant ${tenant} already has ${article} ${running.kind} running: ${running.workflowId} (${running.id}).`,
      {
        hint: `Wait for it, or end it: chronawflow recovery cancel ${shellWord(running.workflowId)}`,
        details: { tenant, restoreId: running.id, workflowId: running.workflowId },
      },
    );
  }
}
