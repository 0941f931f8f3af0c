import type { Policy, Readings, Sample } from './types';

/** What one instance saw of a signal, the newest first; at least one. */
export type Series = readonly Pick<Sample, 'value' | 'ageMs'>[];

/**
 * What the instances together see now: per signal the mean of the newest of each without the outliers at both ends, so that one
 * instance that lies moves nothing, and one that gets worse never makes the whole look better.
 */
export function readingsOf(
  policy: Pick<Policy, 'staleAfterMs' | 'outliers'>,
  samples: Iterable<Sample>,
): Readings {
  const entries = [...seriesOf(policy, samples)].map(([signal, instances]) => {
    const newest = instances.flatMap(([first]) => first?.value ?? []);
    return [signal, { value: trimmedMean(newest, policy.outliers), instances: newest.length }] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Signal → what each instance saw of it. Missing and stale samples are left out, those from the future as well: a clock has
 * jumped, and nobody knows how old they are.
 */
export function seriesOf(
  { staleAfterMs }: Pick<Policy, 'staleAfterMs'>,
  samples: Iterable<Sample>,
): ReadonlyMap<string, readonly Series[]> {
  const signals = new Map<string, Map<string, Sample[]>>();
  for (const sample of samples) {
    const { signal, instance, value, ageMs } = sample;
    if (!Number.isFinite(value) || !(ageMs >= -staleAfterMs && ageMs <= staleAfterMs)) continue;
    const instances = signals.get(signal) ?? new Map<string, Sample[]>();
    const series = instances.get(instance) ?? [];
    // Of two of the same age the later one counts.
    series.unshift(sample);
    instances.set(instance, series);
    signals.set(signal, instances);
  }
  return new Map(
    [...signals].map(([signal, instances]) => [
      signal,
      [...instances.values()].map((series) => series.sort((a, b) => a.ageMs - b.ageMs)),
    ]),
  );
}

/** With one or two values nobody can say which of them is the outlier: all count. */
export function trimmedMean(values: readonly number[], share: number): number {
  const cut =
    values.length < 3 || share === 0
      ? 0
      : Math.min(Math.floor((values.length - 1) / 2), Math.max(1, Math.round(values.length * share)));
  const kept = values.toSorted((a, b) => a - b).slice(cut, values.length - cut);
  const [least = 0] = kept;
  // From the least one on: the sum of many equal values divided by their number need not be that value.
  return least + kept.reduce((sum, value) => sum + (value - least), 0) / kept.length;
}
