import type { Policy, Readings, Sample } from './types';

/**
 * What the instances together see: per signal the mean without the outliers at both ends, so that one instance that lies
 * moves nothing, and one that gets worse never makes the whole look better. Missing and stale samples are left out, those
 * from the future as well: a clock has jumped, and nobody knows how old they are.
 */
export function readingsOf(
  policy: Pick<Policy, 'staleAfterMs' | 'outliers'>,
  samples: Iterable<Sample>,
): Readings {
  const values = new Map<string, Map<string, number>>();
  for (const { signal, instance, value, ageMs } of samples) {
    if (!Number.isFinite(value) || !(ageMs >= -policy.staleAfterMs && ageMs <= policy.staleAfterMs)) continue;
    const of = values.get(signal) ?? new Map<string, number>();
    // Twice the same instance is one instance.
    of.set(instance, value);
    values.set(signal, of);
  }
  const entries = [...values].map(
    ([signal, of]) =>
      [signal, { value: trimmedMean([...of.values()], policy.outliers), instances: of.size }] as const,
  );
  return Object.fromEntries(entries);
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
