import type { LabelValues } from './labels';

/** Which series of a metric are exposed, to take them away when a value leaves a label's top. */
export class SeriesIndex<L extends string> {
  private readonly series = new Map<string, LabelValues<L>>();

  constructor(private readonly names: readonly L[]) {}

  /** @returns the series' key. */
  note(labels: LabelValues<L>): string {
    const key = this.names.map((name) => labels[name]).join('\u0000');
    if (!this.series.has(key)) this.series.set(key, labels);
    return key;
  }

  /** Forgets and returns the series with this value. */
  take(label: string, value: string): LabelValues<L>[] {
    const name = this.names.find((one) => one === label);
    if (name === undefined) return [];
    const taken: LabelValues<L>[] = [];
    for (const [key, labels] of this.series) {
      if (labels[name] !== value) continue;
      this.series.delete(key);
      taken.push(labels);
    }
    return taken;
  }
}
