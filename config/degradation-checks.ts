import type { z } from 'zod';
import { isWorse, SIGNALS, type SignalKind, signalKind } from './degradation-signals';

/** The parts of the section that can contradict each other. */
interface Levels {
  readonly interval: number;
  readonly dwell: number;
  readonly staleAfter?: number;
  readonly core: readonly string[];
  readonly tiers: readonly string[];
  readonly signals: Readonly<Record<string, SignalKind>>;
  readonly levels: readonly Level[];
}

interface Level {
  readonly name: string;
  readonly when: Readonly<Record<string, { readonly enter: number; readonly leave?: number }>>;
  readonly off: readonly string[];
  readonly cacheOnly: readonly string[];
  readonly intervals?: number;
  readonly pageSize?: number;
  readonly limits: { readonly high?: number; readonly normal?: number; readonly low?: number };
  readonly timeoutScale?: number;
}

type Complain = (path: readonly PropertyKey[], message: string) => void;

/** Names that mean something else. */
const RESERVED = ['normal', 'read-only'];

/** Refuses levels that contradict themselves or each other, each with the place of the contradiction. */
export function checkLevels(config: Levels, ctx: z.RefinementCtx): void {
  const complain: Complain = (path, message) => ctx.addIssue({ code: 'custom', path: [...path], message });
  if (config.dwell < config.interval) complain(['dwell'], 'is shorter than interval');
  if (config.staleAfter !== undefined && config.staleAfter <= config.interval)
    complain(['staleAfter'], 'is not longer than interval: every sample would be stale');
  for (const at of duplicates(config.tiers)) complain(['tiers', at], 'is there twice');
  for (const at of duplicates(config.levels.map(({ name }) => name)))
    complain(['levels', at, 'name'], 'is there twice');
  config.levels.forEach((level, at) => {
    const here: Complain = (path, message) => complain(['levels', at, ...path], message);
    if (RESERVED.includes(level.name)) here(['name'], `'${level.name}' is not a level of the ladder`);
    checkCore(level, config.core, here);
    checkSignals(level, config.signals, here);
    const before = config.levels[at - 1];
    if (before !== undefined) checkOrder(level, before, config, here);
  });
}

function duplicates(names: readonly string[]): number[] {
  return names.flatMap((name, at) => (names.indexOf(name) < at ? [at] : []));
}

function checkCore(level: Level, core: readonly string[], complain: Complain): void {
  for (const list of ['off', 'cacheOnly'] as const)
    level[list].forEach((feature, at) => {
      if (core.includes(feature)) complain([list, at], `'${feature}' is core and may never be shed`);
    });
}

function checkSignals(level: Level, own: Levels['signals'], complain: Complain): void {
  for (const [name, { enter, leave }] of Object.entries(level.when)) {
    const kind = signalKind(name, own);
    if (kind === undefined) {
      const known = [...Object.keys(SIGNALS), ...Object.keys(own)].join(', ');
      complain(['when', name], `there is no signal '${name}'; there are ${known}, and what signals declares`);
      continue;
    }
    if (leave === undefined) {
      complain(['when', name], `has no way back: give 'leave' beside 'enter'`);
    } else if (!isWorse(kind, enter, leave)) {
      complain(
        ['when', name, 'leave'],
        `${leave} is not better than enter (${enter}): the level would flap; it has to be ${kind.worse === 'higher' ? 'lower' : 'higher'}`,
      );
    } else if (kind.best !== undefined && isWorse(kind, kind.best, leave)) {
      complain(['when', name, 'leave'], `${leave} can never be reached: there is no way back`);
    }
  }
}

/** A harder level is entered later and leaves less. */
function checkOrder(level: Level, before: Level, { levels, signals }: Levels, complain: Complain): void {
  const milder = levels.slice(0, levels.indexOf(level));
  for (const [name, { enter }] of Object.entries(level.when)) {
    const kind = signalKind(name, signals);
    const earlier = milder.find(({ when }) => {
      const other = when[name]?.enter;
      return kind !== undefined && other !== undefined && isWorse(kind, other, enter);
    });
    if (earlier !== undefined)
      complain(['when', name, 'enter'], `is reached before the milder level '${earlier.name}'`);
  }
  level.cacheOnly.forEach((feature, at) => {
    if ([level, ...milder].some(({ off }) => off.includes(feature)))
      complain(['cacheOnly', at], `'${feature}' is off at this level already`);
  });
  const beyond = (of: (one: Level) => number | undefined, worse: 'more' | 'less') => {
    const own = of(level);
    const last = milder.map(of).findLast((value) => value !== undefined) ?? 1;
    return own !== undefined && (worse === 'more' ? own > last : own < last);
  };
  const than = `than at the milder level '${before.name}'`;
  if (beyond(({ intervals }) => intervals, 'less')) complain(['intervals'], `is shorter ${than}`);
  if (beyond(({ pageSize }) => pageSize, 'more')) complain(['pageSize'], `is larger ${than}`);
  if (beyond(({ timeoutScale }) => timeoutScale, 'more')) complain(['timeoutScale'], `is larger ${than}`);
  for (const priority of ['high', 'normal', 'low'] as const)
    if (beyond(({ limits }) => limits[priority], 'more'))
      complain(['limits', priority], `admits more ${than}`);
}
