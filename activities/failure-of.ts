import { ApplicationFailure, CancelledFailure, type TemporalFailure } from '@temporalio/common';
import { ChronawflowError, messageOf } from '../core/errors';
import { boundedFacts, boundedText, type ErrorFacts } from '../core/errors/error-facts.pure';

/**
 * SQLSTATE classes whose statements may succeed unchanged later: connection, rollback, resources, operator, system; and 25006
 * (read_only_sql_transaction) of a standby after a switch, or of a database that somebody has set to read only.
 */
const TRANSIENT_SQLSTATE = /^(?:(?:08|40|53|55|57|58)[0-9A-Z]{3}|25006)$/;

/** A system call that failed because somebody else is not there at the moment. */
const TRANSIENT_SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // the socket of a server that is not running
  'ENOENT',
]);

/**
 * Any thrown value as the failure that Temporal stores: `type` is the error's code, `nonRetryable` the opposite of its
 * `retryable`, the first detail its {@link ErrorFacts}, everything bounded. `attempt` counts from 1.
 */
export function failureOf(thrown: unknown, attempt = 1): TemporalFailure {
  if (thrown instanceof CancelledFailure || thrown instanceof ApplicationFailure) return thrown;
  const { code, facts } = describe(thrown, attempt);
  return ApplicationFailure.create({
    message: boundedText(messageOf(thrown)),
    type: code,
    nonRetryable: !facts.retryable,
    details: [boundedFacts(facts)],
  });
}

function describe(thrown: unknown, attempt: number): { readonly code: string; readonly facts: ErrorFacts } {
  if (thrown instanceof ChronawflowError) {
    return {
      code: thrown.code,
      facts: {
        kind: thrown.kind,
        retryable: thrown.retryable,
        ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
        details: thrown.details,
      },
    };
  }
  return {
    code: 'UNEXPECTED',
    facts: { kind: 'failed', retryable: isTransient(thrown, attempt), details: sqlstateOf(thrown) },
  };
}

/** What pg says of a connection that broke or was not to be had; these errors carry no code. */
const CONNECTION_LOST =
  /connection terminated|timeout exceeded when trying to connect|not queryable|read timeout/i;

/** Nobody knows these errors. A tenant may be frozen meanwhile, so they are not tried for an hour. */
const ATTEMPTS_OF_THE_UNKNOWN = 5;

/** Whether an error that is not ours may go away by itself; a mistake in the program does not. */
export function isTransient(thrown: unknown, attempt: number): boolean {
  if (!(thrown instanceof Error)) return false;
  if (MISTAKES.some((mistake) => thrown instanceof mistake)) return false;
  const code = codeOf(thrown);
  if (code !== undefined) return TRANSIENT_SYSTEM.has(code) || TRANSIENT_SQLSTATE.test(code);
  return CONNECTION_LOST.test(thrown.message) || attempt < ATTEMPTS_OF_THE_UNKNOWN;
}

const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError];

function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const code: unknown = Reflect.get(thrown, 'code');
  return typeof code === 'string' ? code : undefined;
}

function sqlstateOf(thrown: unknown): Readonly<Record<string, unknown>> {
  const code = codeOf(thrown);
  return code === undefined ? {} : { cause: code };
}
