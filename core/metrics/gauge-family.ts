import { Gauge, type Registry } from 'prom-client';
import type { Labels, LabelValues } from './labels';

export interface GaugeOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
  /** What `other` shows, and what is shown where several instances answer for the same labels. */
  readonly merge: 'sum' | 'max';
}

export interface GaugeSample<L extends string> {
  readonly labels: LabelValues<L>;
  readonly value: number;
}

/** Read when Prometheus asks, never kept up to date in between: an idle instance costs nothing. */
export type GaugeSource<L extends string> = () => Iterable<GaugeSample<L>>;

export class GaugeFamily<L extends string = never> {
  private readonly sources = new Set<GaugeSource<L>>();
  private readonly names: readonly L[];

  constructor(
    registry: Registry,
    private readonly labels: Labels,
    private readonly options: GaugeOptions<L>,
  ) {
    this.names = options.labels ?? [];
    const gauge: Gauge<L> = new Gauge<L>({
      name: options.name,
      help: options.help,
      labelNames: [...this.names],
      registers: [registry],
      collect: () => {
        gauge.reset();
        for (const { labels: series, value } of this.merged()) gauge.set(series, value);
      },
    });
  }

  /** @returns how to take the source away again. */
  collectFrom(source: GaugeSource<L>): () => void {
    this.sources.add(source);
    return () => {
      this.sources.delete(source);
    };
  }

  private merged(): Iterable<GaugeSample<L>> {
    const series = new Map<string, GaugeSample<L>>();
    for (const source of this.sources) {
      for (const sample of source()) {
        const labels = this.labels.bounded(this.names, sample.labels);
        const key = this.names.map((name) => labels[name]).join('\u0000');
        const before = series.get(key)?.value;
        series.set(key, {
          labels,
          value: before === undefined ? sample.value : this.merge(before, sample.value),
        });
      }
    }
    return series.values();
  }

  private merge(a: number, b: number): number {
    return this.options.merge === 'sum' ? a + b : Math.max(a, b);
  }
}
