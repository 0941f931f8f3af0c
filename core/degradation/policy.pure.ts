import type { DegradationConfig, DegradationLevelConfig } from '../../config';
import type { Level, Policy, PriorityClass } from './types';

const CLASSES: readonly PriorityClass[] = ['high', 'normal', 'low'];

/** Rank 0. */
export const NORMAL_NAME = 'normal';

const NORMAL: Level = {
  name: NORMAL_NAME,
  when: [],
  off: [],
  cacheOnly: [],
  intervals: 1,
  pageSize: 1,
  limits: { high: 1, normal: 1, low: 1 },
  holdJobs: [],
  timeoutScale: 1,
};

/** A sample may be lost, or come a little late, before its signal counts as silent. */
const STALE_INTERVALS = 3;

/**
 * The policy of a checked section of the configuration.
 *
 * @param worseOf which way a signal gets worse.
 */
export function policyOf(config: DegradationConfig, worseOf: (signal: string) => 'higher' | 'lower'): Policy {
  const levels: Level[] = [NORMAL];
  for (const level of config.levels) levels.push(withMilder(level, levels.at(-1) ?? NORMAL, worseOf));
  return {
    intervalMs: config.interval,
    dwellMs: config.dwell,
    recoveriesPerHour: config.recoveriesPerHour,
    staleAfterMs: config.staleAfter ?? STALE_INTERVALS * config.interval,
    silentAfterMs: config.silentAfter,
    slowStartMs: config.slowStart,
    outliers: config.outliers,
    core: config.core,
    levels,
  };
}

/** A level also sheds what the milder ones shed; what is off needs no cache. */
function withMilder(
  level: DegradationLevelConfig,
  milder: Level,
  worseOf: (signal: string) => 'higher' | 'lower',
): Level {
  const off = [...new Set([...milder.off, ...level.off])];
  return {
    name: level.name,
    when: Object.entries(level.when).flatMap(([signal, { enter, leave }]) =>
      leave === undefined ? [] : [{ signal, worse: worseOf(signal), enter, leave }],
    ),
    off,
    cacheOnly: [...new Set([...milder.cacheOnly, ...level.cacheOnly])].filter((one) => !off.includes(one)),
    intervals: level.intervals ?? milder.intervals,
    pageSize: level.pageSize ?? milder.pageSize,
    limits: {
      high: level.limits.high ?? milder.limits.high,
      normal: level.limits.normal ?? milder.limits.normal,
      low: level.limits.low ?? milder.limits.low,
    },
    holdJobs: CLASSES.filter((one) => milder.holdJobs.includes(one) || level.holdJobs.includes(one)),
    timeoutScale: level.timeoutScale ?? milder.timeoutScale,
  };
}

/** The level of a rank; one beyond the hardest is the hardest: a process may have an older configuration. */
export function levelAt(policy: Policy, rank: number): Level {
  return policy.levels[Math.min(rank, policy.levels.length - 1)] ?? NORMAL;
}

/** The rank of a level by name; undefined when there is none. */
export function rankOf(policy: Policy, name: string): number | undefined {
  const rank = policy.levels.findIndex((level) => level.name === name);
  return rank === -1 ? undefined : rank;
}
