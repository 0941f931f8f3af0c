import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import type { ErrorFacts } from '../core/errors/error-facts.pure';

/** A refusal that the workflow itself decides on, in the same form as the activities' errors. */
export function refusal(
  code: string,
  message: string,
  hint: string,
  details: Readonly<Record<string, unknown>> = {},
): ApplicationFailure {
  const facts: ErrorFacts = { kind: 'refused', retryable: false, hint, details };
  return ApplicationFailure.create({ message, type: code, nonRetryable: true, details: [facts] });
}

/** Stable code of whatever ended a run. */
export function codeOf(error: unknown): string {
  const inner = error instanceof ActivityFailure ? error.cause : error;
  if (inner instanceof ApplicationFailure) return inner.type ?? 'UNEXPECTED';
  if (inner instanceof TimeoutFailure)
    return inner.timeoutType === 'SCHEDULE_TO_START' ? 'SCRATCH_HOST_LOST' : 'STEP_TIMED_OUT';
  return 'UNEXPECTED';
}

/** The failure that the run ends with: timeouts get a code and a hint like every other error. */
export function endingFailure(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof TimeoutFailure)) return error;
  const lost = error.cause.timeoutType === 'SCHEDULE_TO_START';
  const facts: ErrorFacts = {
    kind: 'failed',
    retryable: true,
    hint: lost
      ? 'Start the worker on that host again, or start the restore again: another host then makes its own scratch cluster.'
      : 'See the step’s attempts in the Web UI and the worker’s log, then start the restore again.',
    details: { step: error.activityType },
  };
  return ApplicationFailure.create({
    message: lost
      ? `No worker on the host of the scratch cluster took ${error.activityType} in time.`
      : `${error.activityType} did not end within its time limit.`,
    type: codeOf(error),
    nonRetryable: true,
    details: [facts],
    cause: error,
  });
}

/** A text field of an input that nobody has checked yet: a run may be started with any JSON. */
export function textOf(input: unknown, field: string): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const value: unknown = Reflect.get(input, field);
  return typeof value === 'string' && value.length > 0 ? value.slice(0, 200) : undefined;
}
