import { Counter, type Registry } from 'prom-client';
import { CounterCell } from './counter-cell';
import type { Labels, LabelValues } from './labels';
import { SeriesIndex } from './series-index';

export interface CounterOptions<L extends string> {
  /** Ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

/** Nobody may ever scrape: at so many cells, about 30 MB, they are emptied without being asked. */
const DIRTY_LIMIT = 200_000;

export class CounterFamily<L extends string = never> {
  private readonly counter: Counter<L>;
  private readonly names: readonly L[];
  private readonly series: SeriesIndex<L>;
  private dirty: CounterCell<L>[] = [];

  constructor(
    registry: Registry,
    private readonly labels: Labels,
    options: CounterOptions<L>,
  ) {
    this.names = options.labels ?? [];
    this.series = new SeriesIndex(this.names);
    this.counter = new Counter({
      name: options.name,
      help: options.help,
      labelNames: [...this.names],
      registers: [registry],
      collect: () => this.flush(),
    });
    labels.onLeave((label, value) => {
      for (const gone of this.series.take(label, value)) this.counter.remove(gone);
    });
  }

  inc(labels: LabelValues<L>, by = 1): void {
    const bounded = this.labels.bounded(this.names, labels, by);
    this.series.note(bounded);
    this.counter.inc(bounded, by);
  }

  /** Exposes the series at 0: `increase()` does not see the first step of a series that begins at 1. */
  zero(labels: LabelValues<L>): void {
    this.inc(labels, 0);
  }

  /** A handle for hot paths; keep it as long as its labels are in use. */
  cell(labels: LabelValues<L>): CounterCell<L> {
    return new CounterCell(labels, (cell) => {
      this.dirty.push(cell);
      if (this.dirty.length >= DIRTY_LIMIT) this.flush();
    });
  }

  private flush(): void {
    const cells = this.dirty;
    this.dirty = [];
    const sums = new Map<string, { readonly labels: LabelValues<L>; value: number }>();
    for (const cell of cells) {
      const pending = cell.take();
      const labels = this.labels.bounded(this.names, cell.labels, pending);
      const key = this.series.note(labels);
      const sum = sums.get(key);
      if (sum === undefined) sums.set(key, { labels, value: pending });
      else sum.value += pending;
    }
    for (const { labels, value } of sums.values()) {
      // Again, without weight: a later cell may have pushed this one out of the top.
      const bounded = this.labels.bounded(this.names, labels, 0);
      this.series.note(bounded);
      this.counter.inc(bounded, value);
    }
  }
}
