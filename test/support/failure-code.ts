import { ApplicationFailure } from '@temporalio/common';

/** The stable code that a promise is rejected with, also where Temporal has wrapped it; undefined when it is not rejected. */
export async function failureCode(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    let cause: unknown = error;
    while (cause instanceof Error && !(cause instanceof ApplicationFailure) && cause.cause !== undefined)
      cause = cause.cause;
    return cause instanceof ApplicationFailure ? cause.type : Reflect.get(Object(cause), 'code');
  }
  return undefined;
}
