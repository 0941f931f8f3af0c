import { READ_ONLY_SIGNAL } from './read-only.pure';
import { type Series, seriesOf, trimmedMean } from './readings.pure';
import type { LevelState, Policy, Reading, Readings, Sample, SignalRule } from './types';

/** Beyond so many moments they are looked at in even steps: at each, all instances count, so that few are seen too late. */
const MOST_MOMENTS = 64;

/**
 * The worst that was to be seen of each signal at any moment since the last look: what one sees who never looks away.
 * So a spike between two looks is seen, and what was bad meanwhile is not called calm. An instance counts at every moment, before
 * its first sample with that one: one that lies is never alone because the others are younger.
 *
 * @param sinceMs as `sinceLastLook`.
 */
export function worstReadings(policy: Policy, samples: Iterable<Sample>, sinceMs: number): Readings {
  const entries = [...seriesOf(policy, samples)].map(
    ([signal, instances]) =>
      [signal, worstOf(instances, sinceMs, worseOf(policy, signal), policy.outliers)] as const,
  );
  return Object.fromEntries(entries);
}

/** How far back a look has to see, in milliseconds: an interval more than to the last one, because reports come late. */
export function sinceLastLook(policy: Policy, at: LevelState['at'], now: number): number {
  return Math.max(0, at === undefined ? 0 : now - at) + policy.intervalMs;
}

function worstOf(
  instances: readonly Series[],
  sinceMs: number,
  worse: SignalRule['worse'] | undefined,
  outliers: number,
): Reading {
  const seen = (worse === undefined ? [NOW] : momentsOf(instances, sinceMs)).map((moment) =>
    trimmedMean(
      instances.map((series) => valueAt(series, moment)),
      outliers,
    ),
  );
  return { value: worse === 'lower' ? Math.min(...seen) : Math.max(...seen), instances: instances.length };
}

/** Younger than every sample, also than one from the future. */
const NOW = Number.NEGATIVE_INFINITY;

/** What is to be seen changes when a sample comes, and only then. */
function momentsOf(instances: readonly Series[], sinceMs: number): readonly number[] {
  if (instances.every(({ length }) => length === 1)) return [NOW];
  const ages = new Set(instances.flatMap((series) => series.map(({ ageMs }) => ageMs)));
  const moments = [...ages].filter((ageMs) => ageMs <= sinceMs).sort((a, b) => a - b);
  const step = Math.ceil(moments.length / MOST_MOMENTS);
  return [NOW, ...moments.filter((_, nth) => nth % step === 0)];
}

function valueAt(series: Series, ageMs: number): number {
  return (series.find((one) => one.ageMs >= ageMs) ?? series.at(-1))?.value ?? Number.NaN;
}

/** Which way it gets worse; undefined for a signal that decides nothing. */
function worseOf(policy: Policy, signal: string): SignalRule['worse'] | undefined {
  if (signal === READ_ONLY_SIGNAL) return 'higher';
  return policy.levels.flatMap(({ when }) => when).find((rule) => rule.signal === signal)?.worse;
}
