/** Time in which an old rate loses two thirds of its weight. Long enough to bridge a pause, short enough to follow a burst. */
const MEMORY_MS = 300;
const SAMPLE_MS = 50;

/** How much is asked of one key in this process, admitted or not. */
export class Demand {
  private sum = 0;
  private since: number | undefined;
  private smooth = 0;

  add(cost: number): void {
    this.sum += cost;
  }

  /** Units a millisecond. */
  rate(now: number): number {
    this.since ??= now;
    const passed = now - this.since;
    if (passed < SAMPLE_MS) return this.smooth;
    this.smooth += (this.sum / passed - this.smooth) * (1 - Math.exp(-passed / MEMORY_MS));
    this.sum = 0;
    this.since = now;
    return this.smooth;
  }
}
