import type { BaseRule } from '../rule';

/** How a window is accounted: in slots by the database's clock, counted from 1970. Milliseconds. */
export interface Slots {
  readonly slotMs: number;
  /** How many slots before its own a slot has to share the limit with: 0 for a fixed window. */
  readonly back: number;
}

/** A process needs one statement a slot, so a slot is not shorter than a second. */
const SHORTEST_SLOT_MS = 1_000;
/** With 60 slots a sliding window can use 60/61 of its limit. */
const MOST_SLOTS = 60;

export type GlobalRule = Exclude<BaseRule, { kind: 'token-bucket' }>;

/** A fixed window is one slot. A sliding window is many, and any interval of its length touches one more than it has. */
export function slotsOf(rule: GlobalRule): Slots {
  if (rule.kind === 'fixed-window') return { slotMs: rule.window, back: 0 };
  const slots = Math.min(MOST_SLOTS, Math.max(1, Math.floor(rule.window / SHORTEST_SLOT_MS)));
  return { slotMs: rule.window / slots, back: slots };
}

export function slotAt(slots: Slots, databaseMs: number): number {
  return Math.floor(databaseMs / slots.slotMs);
}

export function slotStart(slots: Slots, slot: number): number {
  return slot * slots.slotMs;
}
