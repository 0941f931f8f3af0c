/** From 1 ms to 11 minutes in steps of 10 %. */
const GROWTH = Math.log(1.1);
const BUCKETS = 142;
/** When so many calls were observed all counts are halved, so that the latest calls weigh most. */
const HALVE_AT = 2_000;

/** Percentiles of answer times with an error of at most 10 %, in 600 bytes. Older calls are forgotten by and by. */
export class LatencyHistogram {
  private readonly counts = new Uint32Array(BUCKETS);
  private total = 0;

  get observed(): number {
    return this.total;
  }

  observe(ms: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.ceil(Math.log(ms) / GROWTH)));
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.total += 1;
    if (this.total >= HALVE_AT) this.halve();
  }

  /** Upper bound, in milliseconds, of the bucket in which the percentile (0 to 1) lies; 0 before any observation. */
  percentile(share: number): number {
    if (this.total === 0) return 0;
    let left = Math.ceil(share * this.total);
    for (const [bucket, count] of this.counts.entries()) {
      left -= count;
      if (left <= 0) return Math.exp(bucket * GROWTH);
    }
    return Math.exp((BUCKETS - 1) * GROWTH);
  }

  private halve(): void {
    this.total = 0;
    for (const [bucket, count] of this.counts.entries()) {
      // Rounded up, or a rare slow call would be forgotten at once.
      this.counts[bucket] = Math.ceil(count / 2);
      this.total += Math.ceil(count / 2);
    }
  }
}
