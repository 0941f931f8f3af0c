import type { Slots } from './slots.pure';

/** What one statement asks for. Whole tokens. */
export interface LeaseWish {
  readonly wantNow: number;
  /** Fewer than these help nobody: then none for now. */
  readonly needNow: number;
  /** For the slots after the current one. */
  readonly wantAhead: readonly number[];
  /** Unspent tokens of the slots from `returnFirst` on. */
  readonly returnFirst: number;
  readonly returned: readonly number[];
}

/** Requests that wait for an answer: what they cost together, and the first of them. */
export interface Waiting {
  readonly cost: number;
  readonly next: number;
}

/** What a process knows when it decides what to ask for. Milliseconds. */
export interface Situation {
  readonly slots: Slots;
  /** The slot of now, and how much of it is left. */
  readonly slot: number;
  readonly left: number;
  /** Units a millisecond that are wanted here. */
  readonly rate: number;
  /** Cost of the requests that wait for an answer. */
  readonly waiting: number;
  /** Cost of the one that waits for longest. */
  readonly next: number;
  /** Since the last statement. */
  readonly sinceAsked: number;
  /** The last slot that was asked for ahead. */
  readonly askedUntil: number;
  /** Whether there may be something left of the current slot. */
  readonly worthAsking: boolean;
  held(slot: number): number;
}

export function wish(wantNow: number, rest: Partial<Omit<LeaseWish, 'wantNow'>> = {}): LeaseWish {
  return { wantNow: Math.ceil(wantNow), needNow: 0, wantAhead: [], returnFirst: 0, returned: [], ...rest };
}
