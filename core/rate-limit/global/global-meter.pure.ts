import type { Meter } from '../meter/meter';
import { SlidingWindow } from '../meter/sliding-window.pure';
import { TokenBucket } from '../meter/token-bucket.pure';
import type { Contact } from './contact.pure';
import type { DatabaseClock } from './database-clock.pure';
import { LeaseHolder } from './lease-holder.pure';
import type { LeaseAnswer } from './leased-meter';
import { type GlobalRule, slotAt, slotStart, slotsOf } from './slots.pure';
import { BRIDGE_SHARE } from './timing.pure';

/** `undefined`: an answer of the database decides it. */
export type Immediate = LeaseAnswer | undefined;

/** The decisions for one key in one process: by lease, by its own share, or by the bridge between the two. */
export class GlobalMeter {
  readonly holder: LeaseHolder;
  /** What this process may admit by itself; strict in any interval, because processes' windows are not aligned then. */
  private readonly own: Meter;
  /** The loss of the database that `own` was last begun for. */
  private ownFor = 0;
  private readonly bridge: SlidingWindow;
  private scale = 1;

  constructor(
    readonly key: string,
    readonly rule: GlobalRule,
    private readonly clock: DatabaseClock,
    private readonly contact: Contact,
  ) {
    this.holder = new LeaseHolder(slotsOf(rule), clock);
    const share = rule.limit * rule.localShare;
    this.own =
      rule.kind === 'token-bucket'
        ? new TokenBucket(share, share / rule.window)
        : new SlidingWindow(Math.floor(share), rule.window);
    this.bridge = new SlidingWindow(Math.floor(share * BRIDGE_SHARE), rule.window);
  }

  /** The limit in force, an adaptive one as it stood at the last request. */
  get limit(): number {
    return Math.floor(this.rule.limit * this.scale);
  }

  decide(now: number, cost: number, scale: number): Immediate {
    this.scale = scale;
    const taken = this.holder.take(now, cost);
    if (taken === 'spent') return answer(true, this.holder.held(now), this.resetAfter(now), 0, 'within');
    if (this.byOwnShare(now)) return this.locally(this.ownShare(now), now, cost, scale);
    if (this.contact.lost) return this.locally(this.bridge, now, cost, scale);
    if (cost > this.rule.limit * scale) return this.refused(now, Number.POSITIVE_INFINITY);
    return taken === 'exhausted' ? this.refused(now, this.retryAfter(now, cost)) : undefined;
  }

  private refused(now: number, retryAfterMs: number): LeaseAnswer {
    return answer(false, 0, this.resetAfter(now), retryAfterMs, 'exceeded');
  }

  /** A fixed window is forgotten at its end; of the others, what was admitted just now is for a whole window. */
  private resetAfter(now: number): number {
    return this.rule.kind === 'fixed-window' ? this.holder.untilNext(now) : this.rule.window;
  }

  /** Where the limit comes back bit by bit: the time in which so much of it does. */
  private retryAfter(now: number, cost: number): number {
    const next = this.holder.untilNext(now);
    if (this.rule.kind === 'fixed-window') return next;
    return Math.max(next, (cost / Math.max(1, this.limit)) * this.rule.window);
  }

  private byOwnShare(now: number): boolean {
    if (!this.clock.known) return this.contact.lost;
    const { slots } = this.holder;
    const start = slotStart(slots, slotAt(slots, this.clock.earliest(now)));
    // Of a window the slots before share the limit; a bucket's share begins empty.
    const before = slots.refill === undefined ? slots.back : 0;
    return this.contact.ownShareIn(start, before * slots.slotMs);
  }

  /**
   * What a bucket held when the database was lost may be spent by now, so the share of it begins empty and fills at its part of
   * the rate. A process that has never reached the database begins with a full one, as with a window.
   */
  private ownShare(now: number): Meter {
    if (this.ownFor !== this.contact.losses && this.clock.known && this.rule.kind === 'token-bucket') {
      this.own.tryTake(now, this.own.remaining(now, 1), 1);
    }
    this.ownFor = this.contact.losses;
    return this.own;
  }

  private locally(meter: Meter, now: number, cost: number, scale: number): LeaseAnswer {
    const allowed = meter.tryTake(now, cost, scale);
    const retryAfterMs = allowed ? 0 : Math.min(meter.retryAfter(now, cost, scale), this.rule.window);
    return answer(allowed, meter.remaining(now, scale), meter.resetAfter(now), retryAfterMs, 'local-share');
  }
}

function answer(
  allowed: boolean,
  remaining: number,
  resetMs: number,
  retryAfterMs: number,
  reason: LeaseAnswer['reason'],
): LeaseAnswer {
  return { allowed, remaining, resetMs, retryAfterMs, reason };
}
