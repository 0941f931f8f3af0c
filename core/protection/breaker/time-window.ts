import type { CallWindow } from './call-window';
import type { RingMemory } from './ring-memory';

const NONE = -1;
/** Cells of a bucket: calls, failed, slow. */
const PER_BUCKET = 3;

/** The calls of the last so long, counted in buckets: what leaves the window leaves it a bucket at a time. */
export class TimeWindow implements CallWindow {
  calls = 0;
  failed = 0;
  slow = 0;
  private ring = NONE;
  private cells: Uint32Array | undefined = undefined;
  /** First cell of the newest bucket, its number since the clock's beginning, and when it ends. */
  private at = 0;
  private newest = 0;
  private endsAt = 0;

  constructor(
    private readonly memory: RingMemory<Uint32Array>,
    private readonly bucketMs: number,
  ) {}

  record(failed: boolean, slow: boolean, now: number): void {
    if (now >= this.endsAt) this.advance(now);
    const cells = this.cells ?? this.begin(now);
    const { at } = this;
    cells[at] = (cells[at] ?? 0) + 1;
    this.calls += 1;
    if (failed) {
      cells[at + 1] = (cells[at + 1] ?? 0) + 1;
      this.failed += 1;
    }
    if (slow) {
      cells[at + 2] = (cells[at + 2] ?? 0) + 1;
      this.slow += 1;
    }
  }

  advance(now: number): void {
    const { cells } = this;
    if (cells === undefined || now < this.endsAt) return;
    const current = Math.floor(now / this.bucketMs);
    // After a pause longer than the window there is no need to go through every bucket more than once.
    const first = Math.max(this.newest + 1, current - this.memory.cells / PER_BUCKET + 1);
    for (let bucket = first; bucket <= current; bucket += 1) {
      const at = this.cellOf(bucket);
      this.calls -= cells[at] ?? 0;
      this.failed -= cells[at + 1] ?? 0;
      this.slow -= cells[at + 2] ?? 0;
      cells.fill(0, at, at + PER_BUCKET);
    }
    this.goTo(current);
  }

  clear(): void {
    this.calls = 0;
    this.failed = 0;
    this.slow = 0;
    if (this.cells !== undefined) this.memory.give(this.ring);
    this.cells = undefined;
  }

  private begin(now: number): Uint32Array {
    this.ring = this.memory.take();
    this.cells = this.memory.cellsOf(this.ring);
    this.goTo(Math.floor(now / this.bucketMs));
    return this.cells;
  }

  private goTo(bucket: number): void {
    this.newest = bucket;
    this.at = this.cellOf(bucket);
    this.endsAt = (bucket + 1) * this.bucketMs;
  }

  private cellOf(bucket: number): number {
    const buckets = this.memory.cells / PER_BUCKET;
    return this.memory.offsetOf(this.ring) + (bucket % buckets) * PER_BUCKET;
  }
}
