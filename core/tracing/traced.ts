import { withSpan } from './with-span';

export interface TracedTarget {
  readonly service: string;
  readonly operation: string;
}

/**
 * A policy that puts a call into a span named after its target, for the outer end of a pipeline.
 *
 * @example
 * const policy = pipeline(traced({ service: 'tax', operation: 'rate' }), timeout('2s'), breaker);
 */
export function traced(target: TracedTarget) {
  const name = `${target.service} ${target.operation}`;
  const attributes = { 'peer.service': target.service, 'chronawflow.operation': target.operation };
  return {
    execute<T>(call: (signal: AbortSignal) => T | PromiseLike<T>, signal?: AbortSignal): Promise<T> {
      return withSpan(name, attributes, async () => call(signal ?? new AbortController().signal));
    },
  };
}
