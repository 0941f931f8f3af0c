import type { Meter } from './meter';

/** Full at first; refills continuously. */
export class TokenBucket implements Meter {
  private level: number;
  private last: number | undefined;

  constructor(
    private readonly capacity: number,
    private readonly refillPerMs: number,
  ) {
    this.level = capacity;
  }

  tryTake(now: number, cost: number, scale: number): boolean {
    this.refill(now, scale);
    if (cost > this.level) return false;
    this.level -= cost;
    return true;
  }

  remaining(now: number, scale: number): number {
    this.refill(now, scale);
    return this.level;
  }

  spent(now: number): number {
    this.refill(now, 1);
    return this.capacity - this.level;
  }

  retryAfter(now: number, cost: number, scale: number): number {
    if (cost > this.capacity * scale) return Number.POSITIVE_INFINITY;
    this.refill(now, scale);
    return Math.max(0, (cost - this.level) / (this.refillPerMs * scale));
  }

  resetAfter(now: number): number {
    this.refill(now, 1);
    return Math.max(0, (this.capacity - this.level) / this.refillPerMs);
  }

  private refill(now: number, scale: number): void {
    const passed = this.last === undefined ? 0 : Math.max(0, now - this.last);
    this.last = this.last === undefined ? now : Math.max(now, this.last);
    this.level = Math.min(this.capacity * scale, this.level + passed * this.refillPerMs * scale);
  }
}
