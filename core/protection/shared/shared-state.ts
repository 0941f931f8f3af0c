import type { BreakerKey } from '../breaker';

/** What holds for all processes, as one of them has read it. */
export interface SharedState {
  readonly key: BreakerKey;
  readonly generation: number;
  readonly state: 'closed' | 'open' | 'isolated' | 'forced-closed';
  readonly reason: string;
  /** Milliseconds by the database's clock until a shared opening, or a leased isolation, is over. */
  readonly remainingMs: number;
  /** It ends by itself; what an operator holds by hand does not. */
  readonly timed: boolean;
}

/** One process's own finding that a breaker has to be open. */
export interface Vote {
  readonly key: BreakerKey;
  readonly reason: string;
  readonly breakMs: number;
}

/** A decision about a key, and the generation it was made from: 0 where no decision is known. */
export interface Decision {
  readonly key: BreakerKey;
  readonly generation: number;
}

/** The columns of a key as three arrays, for `unnest`. */
export function keyColumns(keys: readonly BreakerKey[]): readonly [string[], string[], string[]] {
  return [
    keys.map(({ service }) => service),
    keys.map(({ operation }) => operation),
    keys.map(({ tenant }) => tenant),
  ];
}

/** A text that no other key has. */
export function keyText({ service, operation, tenant }: BreakerKey): string {
  return JSON.stringify([service, operation, tenant]);
}

const LONGEST = 400;

/** PostgreSQL's text has no NUL, and an index entry at most 2,704 bytes: other keys stay local. */
export function canBeShared({ service, operation, tenant }: BreakerKey): boolean {
  const text = service + operation + tenant;
  return text.length <= LONGEST && !text.includes('\0');
}
