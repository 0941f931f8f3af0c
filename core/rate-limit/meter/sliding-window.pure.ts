import type { Meter } from './meter';

/** A window is counted in this many slots. Any interval of its length touches one more, so 1/33 of the limit stays unused. */
export const SLOTS = 32;

/**
 * Counts in slots and sums over every slot that an interval of the window's length can touch, the partly covered oldest
 * one as a whole. So the limit holds in every interval. The usual estimate from two windows, which weighs the older one
 * by its overlap, admits up to twice the limit when a burst stands at a window's end.
 */
export class SlidingWindow implements Meter {
  private readonly counts = new Float64Array(SLOTS + 1);
  private readonly slotMs: number;
  private newest = Number.NEGATIVE_INFINITY;
  private total = 0;

  constructor(
    private readonly limit: number,
    windowMs: number,
  ) {
    this.slotMs = windowMs / SLOTS;
  }

  tryTake(now: number, cost: number, scale: number): boolean {
    this.advance(now);
    if (this.total + cost > this.limit * scale) return false;
    this.total += cost;
    const index = this.newest % (SLOTS + 1);
    this.counts[index] = (this.counts[index] ?? 0) + cost;
    return true;
  }

  remaining(now: number, scale: number): number {
    this.advance(now);
    return Math.max(0, this.limit * scale - this.total);
  }

  spent(now: number): number {
    this.advance(now);
    return this.total;
  }

  retryAfter(now: number, cost: number, scale: number): number {
    if (cost > this.limit * scale) return Number.POSITIVE_INFINITY;
    this.advance(now);
    let excess = this.total + cost - this.limit * scale;
    for (let age = SLOTS; age >= 0 && excess > 0; age -= 1) {
      excess -= this.count(this.newest - age);
      if (excess <= 0) return this.untilForgotten(now, this.newest - age);
    }
    return 0;
  }

  resetAfter(now: number): number {
    this.advance(now);
    for (let age = 0; age <= SLOTS; age += 1) {
      if (this.count(this.newest - age) > 0) return this.untilForgotten(now, this.newest - age);
    }
    return 0;
  }

  private count(slot: number): number {
    return slot < 0 ? 0 : (this.counts[slot % (SLOTS + 1)] ?? 0);
  }

  private untilForgotten(now: number, slot: number): number {
    return Math.max(0, (slot + SLOTS + 1) * this.slotMs - now);
  }

  private advance(now: number): void {
    const slot = Math.max(0, Math.floor(now / this.slotMs));
    if (slot <= this.newest) return;
    if (slot - this.newest > SLOTS) {
      this.counts.fill(0);
      this.total = 0;
    } else {
      for (let passed = this.newest + 1; passed <= slot; passed += 1) {
        const index = passed % (SLOTS + 1);
        this.total -= this.counts[index] ?? 0;
        this.counts[index] = 0;
      }
    }
    this.newest = slot;
  }
}
