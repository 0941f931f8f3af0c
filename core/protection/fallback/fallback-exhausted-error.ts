import { ChronawflowError, messageOf } from '../../errors';

/** The call failed and so did every level that stands in for it. `cause` is the call's own error. */
export class FallbackExhaustedError extends ChronawflowError {
  readonly code = 'FALLBACK_EXHAUSTED';
  override readonly retryable = true;

  constructor(
    cause: unknown,
    /** What each level threw, in their order. */
    readonly failures: readonly { readonly level: string; readonly error: unknown }[],
  ) {
    const levels = failures.map(({ level, error }) => `${level}: ${messageOf(error)}`).join('; ');
    super(`The call failed (${messageOf(cause)}), and no fallback could answer: ${levels}.`, {
      cause,
      details: { levels: failures.map(({ level }) => level) },
    });
  }
}
