import { BoundedLabel } from './bounded-label.pure';

export type LabelValues<L extends string> = Readonly<Record<L, string>>;

/** One ranking for each label name, so that the busiest tenants are the same in every metric. */
export class Labels {
  private readonly byName = new Map<string, BoundedLabel>();
  private readonly leaveListeners: ((label: string, value: string) => void)[] = [];

  constructor(private readonly top: number) {}

  /** The label values under which a metric may be exposed. */
  bounded<L extends string>(names: readonly L[], values: LabelValues<L>, weight = 1): LabelValues<L> {
    const bounded: Record<string, string> = {};
    for (const name of names) bounded[name] = this.label(name).of(values[name], weight);
    // Every name has its value now; the type system does not follow the loop.
    return bounded as LabelValues<L>;
  }

  onLeave(listener: (label: string, value: string) => void): void {
    this.leaveListeners.push(listener);
  }

  private label(name: string): BoundedLabel {
    let label = this.byName.get(name);
    if (label === undefined) {
      label = new BoundedLabel(this.top, (value) => {
        for (const listener of this.leaveListeners) listener(name, value);
      });
      this.byName.set(name, label);
    }
    return label;
  }
}
