import { InvalidInputError } from '../errors';
import { NEVER } from './abort';
import type { Policy, PolicyFor, Protected } from './policy';

/**
 * Policies one inside the other, the first one outermost: a retry outside a breaker asks it for each try, a timeout
 * outside a retry bounds all tries together.
 *
 * @example
 * const guarded = pipeline(timeout('2s'), retry({ idempotent: true }), breaker, bulkhead({ concurrency: 20 }));
 * const rate = await guarded.execute((signal) => fetchRate('DE', signal), request.signal);
 */
export function pipeline(...policies: readonly Policy[]): Policy;
/** With a policy among them that only knows values of one type, such as a fallback. */
export function pipeline<Value>(...policies: readonly PolicyFor<Value>[]): PolicyFor<Value>;
export function pipeline(...policies: readonly Policy[]): Policy {
  for (const [i, policy] of policies.entries()) {
    if (typeof policy?.execute !== 'function') {
      throw new InvalidInputError(`pipeline: policies.${i}: has no execute`, { details: { index: i } });
    }
  }
  const [innermost, ...outwards] = policies.toReversed();
  if (innermost === undefined) throw new InvalidInputError('pipeline: policies: there are none');
  return {
    execute<T>(call: Protected<T>, signal: AbortSignal = NEVER): Promise<T> {
      let composed = (outer: AbortSignal) => innermost.execute(call, outer);
      for (const policy of outwards) {
        const inner = composed;
        composed = (outer) => policy.execute(inner, outer);
      }
      return composed(signal);
    },
  };
}
