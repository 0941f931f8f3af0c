import { ChronawflowError } from '../../errors';

/** Steps of jobs whose rows the merge takes back stay open in their transactions; the merge was not begun. */
export class JobStepsOpenError extends ChronawflowError {
  readonly code = 'JOB_STEPS_OPEN';
  override readonly retryable = true;

  constructor(tenant: string) {
    super(`Jobs of tenant ${tenant} keep steps (ctx.once) open that neither commit nor roll back.`, {
      hint: 'The merge tries again; a step that falls silent is ended by the server after `jobs.lease`.',
      details: { tenant },
    });
  }
}
