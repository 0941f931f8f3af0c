import type { Meter } from './meter';

/** A window begins with the first request after the last one's end, so windows of different tenants do not end together. */
export class FixedWindow implements Meter {
  private begin = Number.NEGATIVE_INFINITY;
  private last = Number.NEGATIVE_INFINITY;
  private used = 0;

  constructor(
    private readonly limit: number,
    private readonly windowMs: number,
  ) {}

  tryTake(now: number, cost: number, scale: number): boolean {
    const at = this.at(now);
    if (at - this.begin >= this.windowMs) {
      this.begin = at;
      this.used = 0;
    }
    if (this.used + cost > this.limit * scale) return false;
    this.used += cost;
    return true;
  }

  remaining(now: number, scale: number): number {
    return Math.max(0, this.limit * scale - this.spent(now));
  }

  spent(now: number): number {
    return this.at(now) - this.begin >= this.windowMs ? 0 : this.used;
  }

  retryAfter(now: number, cost: number, scale: number): number {
    if (cost > this.limit * scale) return Number.POSITIVE_INFINITY;
    return cost <= this.remaining(now, scale) ? 0 : this.resetAfter(now);
  }

  resetAfter(now: number): number {
    return Math.max(0, this.begin + this.windowMs - this.at(now));
  }

  private at(now: number): number {
    if (now > this.last) this.last = now;
    return this.last;
  }
}
