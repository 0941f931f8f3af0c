import { ChronawflowError } from '../../errors';

/** A way to reach people did not take the page; it is tried again while its level's time lasts. Names no address and no token. */
export class PageFailedError extends ChronawflowError {
  readonly code = 'PAGE_FAILED';
  override readonly retryable: boolean;

  constructor(kind: string, why: string, { retryable = true }: { readonly retryable?: boolean } = {}) {
    super(`The ${kind} was not delivered: ${why}.`, {
      hint: 'See `escalation.levels` and `escalation.smtp` in chronawflow.yaml, and that the other side answers.',
      details: { kind, why },
    });
    this.retryable = retryable;
  }
}
