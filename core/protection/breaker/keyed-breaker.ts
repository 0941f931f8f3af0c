import type { Linked } from '../lru-list';
import type { BreakerRules } from './breaker-rules';
import { type BreakerParts, CircuitBreaker } from './circuit-breaker';

/** What one breaker of a registry protects. */
export interface BreakerKey {
  readonly service: string;
  readonly tenant: string;
  readonly operation: string;
}

/** A breaker in a registry. One object for breaker, key and place in the list: there may be 100,000 of them. */
export class KeyedBreaker extends CircuitBreaker implements Linked<KeyedBreaker> {
  usedAt = 0;
  older: KeyedBreaker | undefined = undefined;
  newer: KeyedBreaker | undefined = undefined;

  constructor(
    readonly key: BreakerKey,
    rules: BreakerRules,
    parts: Omit<BreakerParts, 'name'>,
  ) {
    super(rules, parts);
  }

  override get name(): string {
    return `${this.key.service}/${this.key.operation} of tenant ${this.key.tenant}`;
  }
}
