import type { DatabaseClock } from './database-clock.pure';
import { Demand } from './demand.pure';
import type { LeaseGrant } from './ledger.pure';
import { pace, SHORTEST_PACE_MS } from './pace.pure';
import { type Slots, slotAt, slotStart } from './slots.pure';

/** What one statement asks for. Whole tokens. */
export interface LeaseWish {
  readonly wantNow: number;
  readonly wantNext: number;
  readonly returnSlot: number;
  readonly returned: number;
}

/** `spent`: taken. `exhausted`: nobody can have more in this slot. `dry`: ask. `between`: the slot is not certain, for a moment. */
export type Taken = 'spent' | 'exhausted' | 'dry' | 'between';

/** A lease covers the demand of so long. */
const HORIZON_MS = 2_000;
/** More is asked for when what is held lasts no longer than this: an answer takes a few milliseconds. */
const LOW_WATER_MS = 120;
/** The next slot's first tokens are asked for so long before it begins, or in the last quarter of a short slot. */
const AHEAD_MS = 400;
/** Where all is given, a long slot is asked again so often, in case somebody gives back. */
const ASK_AGAIN_MS = 1_000;
/** Nearer to the slot's end it is not worth a statement to ask again or to give back. */
const WORTHWHILE_MS = 1_000;

/**
 * One key's tokens in one process, and when to ask for more. A token is bound to its slot and spent only while both
 * bounds of the database's clock are inside: what the row says was granted for a slot is what can be spent in it.
 */
export class LeaseHolder {
  private readonly demand = new Demand();
  private readonly tokens = new Map<number, number>();
  private asking = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private pause = SHORTEST_PACE_MS;
  private aheadOf = Number.NEGATIVE_INFINITY;
  private exhausted = Number.NEGATIVE_INFINITY;
  private exhaustedAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly slots: Slots,
    private readonly clock: DatabaseClock,
  ) {}

  /** Notes that `cost` is wanted; once a request. */
  wanted(cost: number): void {
    this.demand.add(cost);
  }

  take(now: number, cost: number): Taken {
    if (!this.clock.known) return 'dry';
    const slot = slotAt(this.slots, this.clock.earliest(now));
    if (slotAt(this.slots, this.clock.latest(now)) !== slot) return 'between';
    const held = this.tokens.get(slot) ?? 0;
    if (held >= cost) {
      this.tokens.set(slot, held - cost);
      return 'spent';
    }
    return this.worthAsking(slot, now, this.untilNext(now)) ? 'dry' : 'exhausted';
  }

  /** Tokens for the slot of now. */
  held(now: number): number {
    return this.clock.known ? (this.tokens.get(slotAt(this.slots, this.clock.earliest(now))) ?? 0) : 0;
  }

  /** Milliseconds until the next slot. */
  untilNext(now: number): number {
    if (!this.clock.known) return this.slots.slotMs;
    const slot = slotAt(this.slots, this.clock.earliest(now));
    return Math.max(0, slotStart(this.slots, slot + 1) - this.clock.earliest(now));
  }

  /** What to ask for now, if anything. `waiting` is the cost of requests that wait for an answer. */
  plan(now: number, waiting: number): LeaseWish | undefined {
    const rate = this.demand.rate(now);
    if (this.asking || now - this.askedAt < this.pause) return undefined;
    if (!this.clock.known) return waiting > 0 ? wish(waiting) : undefined;
    const slot = slotAt(this.slots, this.clock.latest(now));
    const left = slotStart(this.slots, slot + 1) - this.clock.latest(now);
    const held = this.tokens.get(slot) ?? 0;
    const need = waiting + rate * Math.min(HORIZON_MS, left) - held;
    const low = waiting > 0 || held < rate * Math.min(LOW_WATER_MS, left);
    const open = this.worthAsking(slot, now, left);
    const wantNow = low && open && need > 0 ? Math.ceil(need) : 0;
    const wantNext = left < this.ahead() && this.aheadOf !== slot + 1 ? this.wantAhead(rate) : 0;
    const back = this.surplus(slot, rate, waiting, left);
    if (wantNow === 0 && wantNext === 0 && back.returned === 0) return undefined;
    if (wantNext > 0) this.aheadOf = slot + 1;
    return { wantNow, wantNext, ...back };
  }

  sent(now: number, wish: LeaseWish): void {
    this.asking = true;
    this.askedAt = now;
    if (wish.returned > 0)
      this.tokens.set(wish.returnSlot, (this.tokens.get(wish.returnSlot) ?? 0) - wish.returned);
  }

  answered(now: number, grant: LeaseGrant, wish: LeaseWish): void {
    this.asking = false;
    this.pause = pace(this.pause, grant.asked);
    if (grant.late) return;
    for (const slot of this.tokens.keys()) if (slot < grant.slot - 1) this.tokens.delete(slot);
    this.add(grant.slot, grant.now);
    this.add(grant.slot + 1, grant.next);
    if (wish.wantNow === 0) return;
    const exhausted = grant.now < wish.wantNow || grant.left === 0;
    this.exhausted = exhausted ? grant.slot : Number.NEGATIVE_INFINITY;
    this.exhaustedAt = now;
  }

  failed(): void {
    this.asking = false;
  }

  /** The database's clock was set: tokens of its old time are gone, as if they were spent. */
  forget(): void {
    this.tokens.clear();
    this.aheadOf = Number.NEGATIVE_INFINITY;
    this.exhausted = Number.NEGATIVE_INFINITY;
  }

  private worthAsking(slot: number, now: number, left: number): boolean {
    return this.exhausted !== slot || (left > WORTHWHILE_MS && now - this.exhaustedAt >= ASK_AGAIN_MS);
  }

  private add(slot: number, tokens: number): void {
    if (tokens > 0) this.tokens.set(slot, (this.tokens.get(slot) ?? 0) + tokens);
  }

  private ahead(): number {
    return Math.min(AHEAD_MS, this.slots.slotMs / 4);
  }

  /** Nothing for a key so quiet that its tokens would mostly be left over. */
  private wantAhead(rate: number): number {
    const expected = rate * Math.min(HORIZON_MS, this.slots.slotMs);
    return expected < 1 ? 0 : Math.ceil(expected);
  }

  /** What the demand has left behind: of a slot that is over in a sliding window, or far more than is needed of this one. */
  private surplus(
    slot: number,
    rate: number,
    waiting: number,
    left: number,
  ): Pick<LeaseWish, 'returnSlot' | 'returned'> {
    const before = this.tokens.get(slot - 1) ?? 0;
    if (this.slots.back > 0 && before >= 1) return { returnSlot: slot - 1, returned: Math.floor(before) };
    const excess = Math.floor((this.tokens.get(slot) ?? 0) - waiting - 1.25 * rate * HORIZON_MS - 1);
    // Near the slot's end nobody could use it any more.
    return left > WORTHWHILE_MS && excess > 0
      ? { returnSlot: slot, returned: excess }
      : { returnSlot: slot, returned: 0 };
  }
}

function wish(wantNow: number): LeaseWish {
  return { wantNow: Math.ceil(wantNow), wantNext: 0, returnSlot: 0, returned: 0 };
}
