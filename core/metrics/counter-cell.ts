import type { LabelValues } from './labels';

/**
 * Increments that wait for the next scrape. Only then is it decided under which label they are exposed, so the hot
 * path pays for an addition and nothing is stuck with a label that has left the top.
 */
export class CounterCell<L extends string> {
  private pending = 0;

  constructor(
    readonly labels: LabelValues<L>,
    private readonly onFirst: (cell: CounterCell<L>) => void,
  ) {}

  inc(by = 1): void {
    if (!(by > 0)) return;
    const first = this.pending === 0;
    this.pending += by;
    if (first) this.onFirst(this);
  }

  take(): number {
    const { pending } = this;
    this.pending = 0;
    return pending;
  }
}
