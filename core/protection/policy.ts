/** What is protected. It is given a signal that is aborted when nobody waits for the answer any more. */
export type Protected<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** A policy that only knows values of one type, because it may answer in the call's place. */
export interface PolicyFor<Value> {
  execute(call: Protected<Value>, signal?: AbortSignal): Promise<Value>;
}

/**
 * One way of protecting a call. `execute` never throws, it rejects; errors of the call pass through it as they are.
 * An instance without calls has no timer and no listener.
 */
export interface Policy {
  /**
   * @param signal Aborted by the caller; the policy then rejects with its reason at once, whether or not the call
   * heeds it.
   */
  execute<T>(call: Protected<T>, signal?: AbortSignal): Promise<T>;
}
