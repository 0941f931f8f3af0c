/** Where an operator stands after an error: the call was wrong, the operation failed, or a policy refused it. */
export type ErrorKind = 'usage' | 'failed' | 'refused';

export interface ChronawflowErrorOptions {
  readonly cause?: unknown;
  /** What the reader can do next; printed on its own line. */
  readonly hint?: string;
  /** Structured, secret-free facts: identifiers, counts, names. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Base of every error that Chronawflow raises on purpose.
 *
 * `code` is stable and SCREAMING_SNAKE: scripts, dashboards and `ApplicationFailure.type` rely on it.
 * `retryable` says whether the same call may succeed later without anybody changing anything.
 */
export abstract class ChronawflowError extends Error {
  abstract readonly code: string;
  readonly retryable: boolean = false;
  readonly kind: ErrorKind = 'failed';
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: ChronawflowErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  /** The error as `--json` prints it. */
  toJSON(): { code: string; message: string; hint?: string; details: Readonly<Record<string, unknown>> } {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      details: this.details,
    };
  }
}
