import { Bulkhead, type BulkheadOptions } from './bulkhead';
import { Fallback, type FallbackOptions } from './fallback';
import { Hedging, type HedgingOptions } from './hedging';
import { Retry, type RetryOptions } from './retry';
import { Timeout, type TimeoutOptions } from './timeout';

/** Short forms for `pipeline(…)`. */

/** `timeout('2s')`, or with options. */
export function timeout(limit: TimeoutOptions['limit'] | TimeoutOptions): Timeout {
  return new Timeout(typeof limit === 'object' ? limit : { limit });
}

export const retry = (options?: RetryOptions): Retry => new Retry(options);

export const bulkhead = (options: BulkheadOptions): Bulkhead => new Bulkhead(options);

export const hedging = (options: HedgingOptions): Hedging => new Hedging(options);

export const fallback = <Value>(options: FallbackOptions<Value>): Fallback<Value> => new Fallback(options);
