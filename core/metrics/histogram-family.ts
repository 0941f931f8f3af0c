import { Histogram, type Registry } from 'prom-client';
import type { Labels, LabelValues } from './labels';
import { SeriesIndex } from './series-index';

export interface HistogramOptions<L extends string> {
  /** Ends in the unit, such as `_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
  /** Upper bounds in the metric's unit; the alerts' thresholds have to be among them to be exact. */
  readonly buckets: readonly number[];
}

export class HistogramFamily<L extends string = never> {
  private readonly histogram: Histogram<L>;
  private readonly names: readonly L[];
  private readonly series: SeriesIndex<L>;

  constructor(
    registry: Registry,
    private readonly labels: Labels,
    options: HistogramOptions<L>,
  ) {
    this.names = options.labels ?? [];
    this.series = new SeriesIndex(this.names);
    this.histogram = new Histogram({
      name: options.name,
      help: options.help,
      labelNames: [...this.names],
      buckets: [...options.buckets],
      registers: [registry],
    });
    labels.onLeave((label, value) => {
      for (const gone of this.series.take(label, value)) this.histogram.remove(gone);
    });
  }

  observe(labels: LabelValues<L>, value: number): void {
    const bounded = this.labels.bounded(this.names, labels);
    this.series.note(bounded);
    this.histogram.observe(bounded, value);
  }
}
