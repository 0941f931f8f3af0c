import { AHEAD_SHARE, MEMBER_TTL_MS, SILENCE_MS } from './timing.pure';

/** One key's row: what was granted for each slot from `first` on, `back` slots before the newest and one ahead. */
export interface Ledger {
  readonly slotMs: number;
  readonly back: number;
  readonly first: number;
  readonly granted: readonly number[];
  /** Statements in the current and in the previous second. */
  readonly second: number;
  readonly asked: number;
  readonly askedBefore: number;
}

/** One process's row; times of the database in milliseconds. */
export interface Member {
  readonly process: string;
  readonly lastSeen: number;
  /** It decided by its own share until then. */
  readonly rejoinedAt: number;
}

export interface LeaseRequest {
  readonly process: string;
  readonly limit: number;
  readonly slotMs: number;
  readonly back: number;
  readonly share: number;
  readonly wantNow: number;
  readonly wantNext: number;
  /** Tokens of this slot come back unspent. */
  readonly returnSlot: number;
  readonly returned: number;
  /** By the database's clock; a statement that arrives later changes nothing. */
  readonly deadline: number;
}

export interface LeaseGrant {
  readonly at: number;
  readonly late: boolean;
  readonly slot: number;
  readonly now: number;
  readonly next: number;
  /** What can still be had for the current slot. */
  readonly left: number;
  /** Statements on this key in the last whole second. */
  readonly asked: number;
}

/**
 * The decision of `chronawflow.rate_lease` as a pure function: the model for the simulation, and held equal to the
 * function in the database by a property test. `members` are those that the statement sees, the asking one included.
 */
export function lease(
  before: Ledger | undefined,
  members: readonly Member[],
  request: LeaseRequest,
  at: number,
): { readonly ledger: Ledger | undefined; readonly grant: LeaseGrant } {
  const { limit, slotMs, back, share } = request;
  const slot = Math.floor(at / slotMs);
  if (at > request.deadline) {
    return { ledger: before, grant: { at, late: true, slot, now: 0, next: 0, left: 0, asked: 0 } };
  }
  const first = slot - back;
  const granted = carry(before, request, slot);
  const give = request.returnSlot - first;
  const held = granted[give];
  if (held !== undefined) granted[give] = Math.max(0, held - request.returned);

  const open = (of: number) => {
    const start = of * slotMs;
    const living = members.filter((member) => member.lastSeen > at - MEMBER_TTL_MS);
    const local = living.filter(
      (member) => member.lastSeen < start - SILENCE_MS || member.rejoinedAt >= start - back * slotMs,
    ).length;
    const reserved = Math.min(local * share, Math.max(0, 1 - (living.length - local) * share));
    const from = of - back - first;
    const used = granted.slice(from, from + back + 1).reduce((sum, one) => sum + one, 0);
    return Math.max(0, Math.floor(limit - reserved * limit - used));
  };
  // With a fixed window the next slot is another window; with a sliding one it has the current slot behind it.
  const openNow = back === 0 ? open(slot) : Math.min(open(slot), open(slot + 1));
  const now = Math.min(request.wantNow, openNow);
  granted[back] = (granted[back] ?? 0) + now;
  const next = Math.min(request.wantNext, Math.floor(open(slot + 1) * AHEAD_SHARE));
  granted[back + 1] = (granted[back + 1] ?? 0) + next;

  const second = Math.floor(at / 1_000);
  const age = before === undefined ? 2 : second - before.second;
  const asked = age === 0 ? (before?.asked ?? 0) : 0;
  const askedBefore = age === 0 ? (before?.askedBefore ?? 0) : age === 1 ? (before?.asked ?? 0) : 0;
  return {
    ledger: { slotMs, back, first, granted, second, asked: asked + 1, askedBefore },
    grant: { at, late: false, slot, now, next, left: openNow - now, asked: askedBefore },
  };
}

/**
 * What counts in the slots from `slot - back` to the one ahead. When the window was configured anew, or the database's
 * clock was set back, slots do not line up: then everything that was granted counts in the current one.
 */
function carry(before: Ledger | undefined, { slotMs, back }: LeaseRequest, slot: number): number[] {
  const granted = new Array<number>(back + 2).fill(0);
  if (before === undefined) return granted;
  const newest = before.first + before.back;
  if (before.slotMs !== slotMs || before.back !== back || slot < newest) {
    granted[back] = before.granted.reduce((sum, one) => sum + one, 0);
    return granted;
  }
  return granted.map((_, index) => before.granted[slot - back + index - before.first] ?? 0);
}
