import { ChronawflowError } from '../../errors';

/** The two guards did not acknowledge the lease, so the fault was not injected: nobody could promise its end. */
export class GuardsNotReadyError extends ChronawflowError {
  readonly code = 'CHAOS_GUARDS_NOT_READY';
  override readonly retryable = true;

  constructor(directory: string, limitMs: number) {
    super(`The guards of ${directory} did not acknowledge the lease within ${limitMs} ms.`, {
      hint: 'Look into guard-a.log and guard-b.log in that directory; the disk may be full.',
      details: { directory },
    });
  }
}
