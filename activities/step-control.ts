import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { StepControl } from '../core/recovery/engine';

/**
 * A fifth of the heartbeat timeout in workflows/steps.ts, so that two may get lost and one be late. Short steps send none:
 * the last one is delivered before the result, which made each step of a restore 20 ms longer.
 */
const HEARTBEAT_INTERVAL_MS = 2_000;

type Progress = Parameters<NonNullable<StepControl['progress']>>[0];

/**
 * Runs a long step under Temporal's eyes: every heartbeat tells its last progress, also while it waits for one long
 * statement. A heartbeat is also how a cancellation reaches the step's signal.
 */
export async function withStepControl<T>(run: (control: StepControl) => Promise<T>): Promise<T> {
  const context = Context.current();
  let last: Progress = { step: 'started' };
  const beat = setInterval(() => context.heartbeat(last), HEARTBEAT_INTERVAL_MS);
  try {
    return await run({
      signal: context.cancellationSignal,
      progress: (state) => {
        last = state;
      },
    });
  } catch (error) {
    throw interruptionOf(context) ?? error;
  } finally {
    clearInterval(beat);
  }
}

/**
 * Why a step was stopped from outside: somebody cancelled the workflow, or this worker is shutting down and another one
 * goes on. Only the first is a cancellation; the second is tried again.
 */
function interruptionOf(context: Context): Error | undefined {
  if (!context.cancellationSignal.aborted) return undefined;
  if (context.cancellationDetails?.cancelRequested) return new CancelledFailure('The step was cancelled.');
  return ApplicationFailure.create({
    message: 'The worker stopped during this step; it will be tried again.',
    type: 'STEP_INTERRUPTED',
    nonRetryable: false,
  });
}
