import type { z } from 'zod';
import { rememberedOptions } from '../../../config';
import { type Linked, LruList } from '../lru-list';
import { type Clock, monotonicMs } from '../monotonic-clock';
import { parseOptions } from '../parse-options';
import type { FallbackLevel, FallbackRequest } from './fallback';
import { NothingRememberedError } from './nothing-remembered-error';

/** Another way to a fresh answer: a second endpoint, a simplified computation. */
export function elsewhere<Value>(
  name: string,
  ask: (request: FallbackRequest) => Value | PromiseLike<Value>,
): FallbackLevel<Value> {
  return { name, answer: async (request) => ({ value: await ask(request) }) };
}

/** A value that always serves, marked by its level's name only. */
export function emergency<Value>(value: Value, name = 'emergency'): FallbackLevel<Value> {
  return { name, answer: () => ({ value }) };
}

export type RememberedOptions = z.input<typeof rememberedOptions> & {
  readonly name?: string;
  readonly clock?: Clock;
};

/** The last answer that the call itself gave for the key, marked as stale, unless it is older than `maxAge`. */
export function remembered<Value>(options: RememberedOptions): FallbackLevel<Value> {
  return new Remembered<Value>(options);
}

interface Kept<Value> extends Linked<Kept<Value>> {
  readonly key: string;
  value: Value;
  at: number;
}

class Remembered<Value> implements FallbackLevel<Value> {
  readonly name: string;
  private readonly options: z.output<typeof rememberedOptions>;
  private readonly clock: Clock;
  private readonly kept = new Map<string, Kept<Value>>();
  private readonly used = new LruList<Kept<Value>>();

  constructor({ name = 'cached', clock = monotonicMs, ...options }: RememberedOptions) {
    this.options = parseOptions(rememberedOptions, options, 'Remembered');
    this.name = name;
    this.clock = clock;
  }

  answer({ key }: FallbackRequest) {
    const kept = this.kept.get(key);
    const staleMs = kept === undefined ? Number.POSITIVE_INFINITY : this.clock() - kept.at;
    if (kept === undefined || staleMs > this.options.maxAge) throw new NothingRememberedError(key, staleMs);
    return { value: kept.value, staleMs };
  }

  remember(key: string, value: Value): void {
    const known = this.kept.get(key);
    if (known !== undefined) {
      known.value = value;
      known.at = this.clock();
      this.used.touch(known);
      return;
    }
    const { oldest } = this.used;
    if (this.used.size >= this.options.limit && oldest !== undefined) {
      this.used.remove(oldest);
      this.kept.delete(oldest.key);
    }
    const kept: Kept<Value> = { key, value, at: this.clock(), older: undefined, newer: undefined };
    this.kept.set(key, kept);
    this.used.add(kept);
  }
}
