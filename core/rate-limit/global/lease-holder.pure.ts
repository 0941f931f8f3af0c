import type { DatabaseClock } from './database-clock.pure';
import { Demand } from './demand.pure';
import { type LeaseWish, type Situation, type Waiting, wish } from './lease-wish.pure';
import type { LeaseGrant } from './ledger.pure';
import { pace, SHORTEST_PACE_MS } from './pace.pure';
import { planManyAhead } from './plan-many-ahead.pure';
import { planOneAhead, WORTHWHILE_MS } from './plan-one-ahead.pure';
import { type Slots, slotAt, slotStart } from './slots.pure';

/** `spent`: taken. `exhausted`: nobody can have more in this slot. `dry`: ask. `between`: the slot is not certain, for a moment. */
export type Taken = 'spent' | 'exhausted' | 'dry' | 'between';

/** Where all is given, a long slot is asked again so often, in case somebody gives back. */
const ASK_AGAIN_MS = 1_000;

/**
 * One key's tokens in one process, and when to ask for more. A token is bound to its slot and spent only while both
 * bounds of the database's clock are inside: what the row says was granted for a slot is what can be spent in it.
 */
export class LeaseHolder {
  private readonly demand = new Demand();
  private readonly tokens = new Map<number, number>();
  /** Slots of which less was granted than wanted, when that was, and what was left: too little for who had asked. */
  private readonly exhausted = new Map<number, { readonly at: number; readonly left: number }>();
  private readonly plans: (now: Situation) => LeaseWish | undefined;
  private asking = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private askedUntil = Number.NEGATIVE_INFINITY;
  private pause = SHORTEST_PACE_MS;

  constructor(
    readonly slots: Slots,
    private readonly clock: DatabaseClock,
  ) {
    this.plans = slots.ahead === 1 ? planOneAhead : planManyAhead;
  }

  /** Notes that `cost` is wanted; once a request. */
  wanted(cost: number): void {
    this.demand.add(cost);
  }

  take(now: number, cost: number): Taken {
    if (!this.clock.known) return 'dry';
    const slot = slotAt(this.slots, this.clock.earliest(now));
    if (slotAt(this.slots, this.clock.latest(now)) !== slot) return 'between';
    const held = this.heldFor(slot);
    if (held >= cost) {
      this.tokens.set(slot, held - cost);
      return 'spent';
    }
    return this.worthAsking(slot, now, cost) ? 'dry' : 'exhausted';
  }

  /** Tokens for the slot of now. */
  held(now: number): number {
    return this.clock.known ? this.heldFor(slotAt(this.slots, this.clock.earliest(now))) : 0;
  }

  /** Milliseconds until the next slot. */
  untilNext(now: number): number {
    if (!this.clock.known) return this.slots.slotMs;
    const slot = slotAt(this.slots, this.clock.earliest(now));
    return Math.max(0, slotStart(this.slots, slot + 1) - this.clock.earliest(now));
  }

  /** What to ask for now, if anything. */
  plan(now: number, { cost: waiting, next }: Waiting): LeaseWish | undefined {
    const rate = this.demand.rate(now);
    if (this.asking || now - this.askedAt < this.pause) return undefined;
    if (!this.clock.known) return waiting > 0 ? wish(waiting) : undefined;
    const slot = slotAt(this.slots, this.clock.latest(now));
    const left = slotStart(this.slots, slot + 1) - this.clock.latest(now);
    return this.plans({
      slots: this.slots,
      slot,
      left,
      rate,
      waiting,
      next,
      sinceAsked: now - this.askedAt,
      askedUntil: this.askedUntil,
      worthAsking: this.worthAsking(slot, now, Math.max(1, next)),
      held: (of) => this.heldFor(of),
    });
  }

  sent(now: number, { wantAhead, returnFirst, returned }: LeaseWish): void {
    this.asking = true;
    this.askedAt = now;
    for (const [index, tokens] of returned.entries()) this.add(returnFirst + index, -tokens);
    if (wantAhead.length > 0 && this.clock.known)
      this.askedUntil = slotAt(this.slots, this.clock.latest(now)) + wantAhead.length;
  }

  answered(now: number, grant: LeaseGrant, { wantNow, wantAhead }: LeaseWish): void {
    this.asking = false;
    this.pause = pace(this.pause, grant.asked);
    if (grant.late) return;
    this.forgetBefore(grant.slot - this.slots.ahead - 1);
    this.add(grant.slot, grant.now);
    if (wantNow > 0) this.note(grant.slot, grant.now < wantNow || grant.left === 0, now, grant.left);
    for (const [k, tokens] of grant.ahead.entries()) {
      this.add(grant.slot + 1 + k, tokens);
      // Of a long slot there may be more when it has begun: the first tokens are only a part of it.
      if (this.slots.ahead > 1) this.note(grant.slot + 1 + k, tokens < (wantAhead[k] ?? 0), now);
    }
    // Tokens that came when their slot was over are given back, so nobody may be told that there is nothing left.
    if (grant.now > 0 && slotAt(this.slots, this.clock.latest(now)) > grant.slot) this.exhausted.clear();
  }

  failed(): void {
    this.asking = false;
  }

  /** The database's clock was set: tokens of its old time are gone, as if they were spent. */
  forget(): void {
    this.tokens.clear();
    this.exhausted.clear();
    this.askedUntil = Number.NEGATIVE_INFINITY;
  }

  private worthAsking(slot: number, now: number, cost: number): boolean {
    const known = this.exhausted.get(slot);
    if (known === undefined || cost <= known.left) return true;
    return now - known.at >= ASK_AGAIN_MS && this.untilNext(now) > WORTHWHILE_MS;
  }

  private heldFor(slot: number): number {
    return this.tokens.get(slot) ?? 0;
  }

  private add(slot: number, tokens: number): void {
    if (tokens !== 0) this.tokens.set(slot, this.heldFor(slot) + tokens);
  }

  private note(slot: number, exhausted: boolean, at: number, left = 0): void {
    if (exhausted) this.exhausted.set(slot, { at, left });
    else this.exhausted.delete(slot);
  }

  private forgetBefore(slot: number): void {
    for (const of of this.tokens.keys()) if (of < slot) this.tokens.delete(of);
    for (const of of this.exhausted.keys()) if (of < slot) this.exhausted.delete(of);
  }
}
