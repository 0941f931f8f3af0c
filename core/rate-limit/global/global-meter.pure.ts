import { SlidingWindow } from '../meter/sliding-window.pure';
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
  private readonly own: SlidingWindow;
  private readonly bridge: SlidingWindow;
  private scale = 1;

  constructor(
    readonly key: string,
    readonly rule: GlobalRule,
    readonly share: number,
    private readonly clock: DatabaseClock,
    private readonly contact: Contact,
  ) {
    this.holder = new LeaseHolder(slotsOf(rule), clock);
    this.own = new SlidingWindow(Math.floor(rule.limit * share), rule.window);
    this.bridge = new SlidingWindow(Math.floor(rule.limit * share * BRIDGE_SHARE), rule.window);
  }

  /** The limit in force, an adaptive one as it stood at the last request. */
  get limit(): number {
    return Math.floor(this.rule.limit * this.scale);
  }

  decide(now: number, cost: number, scale: number): Immediate {
    this.scale = scale;
    const taken = this.holder.take(now, cost);
    if (taken === 'spent')
      return answer(true, this.holder.held(now), this.holder.untilNext(now), 0, 'within');
    if (this.byOwnShare(now)) return this.locally(this.own, now, cost, scale);
    if (this.contact.lost) return this.locally(this.bridge, now, cost, scale);
    if (cost > this.rule.limit * scale) return refused(this.holder.untilNext(now), Number.POSITIVE_INFINITY);
    if (taken === 'exhausted') return refused(this.holder.untilNext(now), this.holder.untilNext(now));
    return undefined;
  }

  private byOwnShare(now: number): boolean {
    if (!this.clock.known) return this.contact.lost;
    const { slots } = this.holder;
    const start = slotStart(slots, slotAt(slots, this.clock.earliest(now)));
    return this.contact.ownShareIn(start, slots.back * slots.slotMs);
  }

  private locally(meter: SlidingWindow, now: number, cost: number, scale: number): LeaseAnswer {
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

function refused(resetMs: number, retryAfterMs: number): LeaseAnswer {
  return answer(false, 0, resetMs, retryAfterMs, 'exceeded');
}
