import type { z } from 'zod';
import { registryOptions } from '../../../config';
import { LruList } from '../lru-list';
import { type Clock, monotonicMs } from '../monotonic-clock';
import { parseOptions } from '../parse-options';
import { tell } from '../tell';
import { type BreakerOptions, BreakerRules } from './breaker-rules';
import type { BreakerState } from './breaker-state';
import type { CallWindow } from './call-window';
import type { CircuitBreaker, Transition } from './circuit-breaker';
import { type BreakerKey, KeyedBreaker } from './keyed-breaker';
import { windowsFor } from './windows-for';

export interface KeyedTransition {
  readonly key: BreakerKey;
  readonly breaker: CircuitBreaker;
  readonly from: BreakerState;
  readonly to: BreakerState;
}

export type RegistryOptions = z.input<typeof registryOptions> & {
  readonly breaker?: BreakerOptions;
  /** Rules of single services, whole: nothing is taken over from `breaker`. */
  readonly services?: Readonly<Record<string, BreakerOptions>>;
  readonly clock?: Clock;
  readonly random?: () => number;
};

/** What the breakers of a service have in common. */
interface Kind {
  readonly rules: BreakerRules;
  readonly makeWindow: () => CallWindow;
}

/** How many of the oldest are looked at for one that is closed, when one has to go. */
const LOOKS = 16;

/**
 * Breakers by service, tenant and operation, made when they are first asked for. Their number is bounded: when it is
 * reached the least lately used goes, first those that are closed, never one that is held by hand as long as there is
 * another. One that nobody asked for in `idleAfter` goes with a later request. So ask at every call; do not keep it.
 *
 * @example
 * const breakers = new BreakerRegistry({ limit: 100_000 });
 * await breakers.get({ service: 'tax', tenant, operation: 'rate' }).execute((signal) => fetchRate(signal));
 */
export class BreakerRegistry {
  private readonly limit: number;
  private readonly idleAfter: number;
  private readonly parts: { readonly clock: Clock; readonly random?: () => number };
  private readonly common: Kind;
  private readonly services: ReadonlyMap<string, Kind>;
  private readonly listeners = new Set<(transition: KeyedTransition) => void>();
  /** Service, then operation, then tenant: no text has to be put together to look a breaker up. */
  private readonly breakers = new Map<string, Map<string, Map<string, KeyedBreaker>>>();
  private readonly used = new LruList<KeyedBreaker>();
  /** Those that are not closed: few, so that they can be looked at one by one. */
  private readonly disturbed = new Set<KeyedBreaker>();

  /** @throws InvalidInputError naming the option */
  constructor({ breaker, services = {}, clock = monotonicMs, random, ...options }: RegistryOptions = {}) {
    const { limit, idleAfter } = parseOptions(registryOptions, options, 'BreakerRegistry');
    this.limit = limit;
    this.idleAfter = idleAfter;
    this.parts = { clock, random };
    const kindOf = (own: BreakerOptions | undefined): Kind => {
      const rules = new BreakerRules(own);
      return { rules, makeWindow: windowsFor(rules.window, limit) };
    };
    this.common = kindOf(breaker);
    this.services = new Map(Object.entries(services).map(([service, own]) => [service, kindOf(own)]));
  }

  get size(): number {
    return this.used.size;
  }

  /** The breaker of a key. */
  get(key: BreakerKey): CircuitBreaker {
    const now = this.parts.clock();
    const breaker = this.peek(key) ?? this.add(key);
    breaker.usedAt = now;
    this.used.touch(breaker);
    const { oldest } = this.used;
    if (oldest !== undefined && now - oldest.usedAt >= this.idleAfter) this.passOver(oldest, now);
    return breaker;
  }

  /** The breaker of a key if there is one; does not count as use. */
  peek({ service, operation, tenant }: BreakerKey): KeyedBreaker | undefined {
    return this.breakers.get(service)?.get(operation)?.get(tenant);
  }

  /** Breakers that are not closed. */
  notClosed(): Iterable<KeyedBreaker> {
    return this.disturbed.values();
  }

  /** Calls the listener after every change of state of any of the breakers. @returns how to stop that */
  onTransition(listener: (transition: KeyedTransition) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private add(key: BreakerKey): KeyedBreaker {
    if (this.used.size >= this.limit) this.drop(this.leastNeeded());
    const { rules, makeWindow } = this.services.get(key.service) ?? this.common;
    const breaker = new KeyedBreaker(key, rules, {
      ...this.parts,
      window: makeWindow(),
      onTransition: this.changed,
    });
    const operations = getOrAdd(this.breakers, key.service, () => new Map());
    getOrAdd(operations, key.operation, () => new Map()).set(key.tenant, breaker);
    this.used.add(breaker);
    return breaker;
  }

  /** One that is closed among the oldest; else one that opened by itself; else the oldest. */
  private leastNeeded(): KeyedBreaker {
    const { oldest } = this.used;
    if (oldest === undefined) throw new RangeError('an empty registry has nothing to drop');
    let choice = oldest;
    let candidate: KeyedBreaker | undefined = oldest;
    for (let look = 0; look < LOOKS && candidate !== undefined; look += 1) {
      const { kind } = candidate.getState().state;
      if (kind === 'closed') return candidate;
      if (isHeld(choice) && !isHeld(candidate)) choice = candidate;
      candidate = candidate.newer;
    }
    return choice;
  }

  /** What is held by hand stays, and is looked at again when it is the oldest once more. */
  private passOver(breaker: KeyedBreaker, now: number): void {
    if (isHeld(breaker)) {
      breaker.usedAt = now;
      this.used.touch(breaker);
    } else {
      this.drop(breaker);
    }
  }

  private drop(breaker: KeyedBreaker): void {
    const { service, operation, tenant } = breaker.key;
    const operations = this.breakers.get(service);
    const tenants = operations?.get(operation);
    tenants?.delete(tenant);
    if (tenants?.size === 0) operations?.delete(operation);
    if (operations?.size === 0) this.breakers.delete(service);
    this.used.remove(breaker);
    this.disturbed.delete(breaker);
    breaker.retire();
  }

  private readonly changed = ({ breaker, from, to }: Transition): void => {
    if (!(breaker instanceof KeyedBreaker) || this.peek(breaker.key) !== breaker) return;
    if (to.kind === 'closed') this.disturbed.delete(breaker);
    else this.disturbed.add(breaker);
    for (const listener of this.listeners) tell(listener, { key: breaker.key, breaker, from, to });
  };
}

function isHeld(breaker: KeyedBreaker): boolean {
  const { kind } = breaker.getState().state;
  return kind === 'isolated' || kind === 'forced-closed';
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
