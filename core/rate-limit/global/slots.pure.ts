import type { BaseRule } from '../rule';

/** How a rule is accounted: in slots by the database's clock, counted from 1970. Times in milliseconds. */
export interface Slots {
  readonly slotMs: number;
  /**
   * How many slots before the current one are remembered: those that share a sliding window with it; of a bucket those whose
   * unspent tokens may still come back.
   */
  readonly back: number;
  /** How many slots after the current one tokens are leased for. It follows from `slotMs`, so all processes agree. */
  readonly ahead: number;
  /** What one slot adds to a bucket, as a share of its capacity; undefined for windows. */
  readonly refill: number | undefined;
  /** For how many slots before its own a process's own share counts, once it has used it. */
  readonly memory: number;
}

/** An interval of a sliding window's length touches one slot more than the window has: 40 slots use 97.6 %, 60 use 98.4 %. */
const MOST_SLOTS = 60;
/** Many times longer than what a process is unsure of the database's clock, about a millisecond. */
const SHORTEST_SLOT_MS = 25;
/** One statement leases tokens for so long, whatever the length of a slot; never for more than the slots of a window. */
const AHEAD_MS = 1_000;

/** Capacity or limit, and the time in which all of it comes back. */
export interface GlobalRule {
  readonly kind: BaseRule['kind'];
  readonly limit: number;
  readonly window: number;
  readonly localShare: number;
}

/** @returns undefined when the rule is each process's own. */
export function globalRule(rule: BaseRule): GlobalRule | undefined {
  if (rule.global === undefined) return undefined;
  const { localShare } = rule.global;
  if (rule.kind !== 'token-bucket')
    return { kind: rule.kind, limit: rule.limit, window: rule.window, localShare };
  const window = (rule.capacity / rule.refillPerSecond) * 1_000;
  return { kind: rule.kind, limit: rule.capacity, window, localShare };
}

export function slotsOf({ kind, window }: GlobalRule): Slots {
  if (kind === 'fixed-window') return { slotMs: window, back: 0, ahead: 1, refill: undefined, memory: 0 };
  const slots = Math.min(MOST_SLOTS, Math.floor(window / SHORTEST_SLOT_MS));
  const slotMs = window / slots;
  const ahead = Math.min(slots, Math.max(1, Math.ceil(AHEAD_MS / slotMs)));
  return kind === 'sliding-window'
    ? { slotMs, back: slots, ahead, refill: undefined, memory: slots }
    : { slotMs, back: 2 * ahead, ahead, refill: 1 / slots, memory: slots };
}

export function slotAt(slots: Slots, databaseMs: number): number {
  return Math.floor(databaseMs / slots.slotMs);
}

export function slotStart(slots: Slots, slot: number): number {
  return slot * slots.slotMs;
}
