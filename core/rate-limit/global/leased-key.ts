import type { GlobalMeter } from './global-meter.pure';
import type { LeaseAnswer, LeasedMeter } from './leased-meter';
import { WaitingRequests, waitedTooLong } from './waiting-requests';

/** The meter of one key as the limiter sees it: decisions at once, or when an answer of the database has come. */
export class LeasedKey implements LeasedMeter {
  readonly leased = true;
  readonly waiting = new WaitingRequests();
  usedAt: number;

  constructor(
    readonly meter: GlobalMeter,
    private readonly clock: () => number,
    private readonly maxWaitMs: number,
    /** Requests wait: ask soon. */
    private readonly wake: (key: LeasedKey) => void,
  ) {
    this.usedAt = clock();
  }

  take(cost: number, scale: number): LeaseAnswer | Promise<LeaseAnswer> {
    const now = this.clock();
    this.usedAt = now;
    this.meter.holder.wanted(cost);
    // Who waits was there first.
    const answer = this.waiting.cost === 0 ? this.meter.decide(now, cost, scale) : undefined;
    if (answer !== undefined) return answer;
    if (this.waiting.full) return waitedTooLong(this.maxWaitMs);
    return new Promise((settle) => {
      this.waiting.add({ cost, scale, since: now, settle });
      this.wake(this);
    });
  }

  settle(now: number): void {
    if (this.waiting.cost === 0) return;
    this.waiting.settle(now, this.maxWaitMs, (cost, scale) => this.meter.decide(now, cost, scale));
  }
}
