import type { Policy, ScopeHealth, SeriesPoint, SimulatedStep } from '../../../core/degradation';
import { colors as pc } from '../colors';
import { duration, facts, table } from './format';

/** Levels, why, since when, what is off, and what would bring them back. */
export function degradationPage(scopes: readonly ScopeHealth[]): string[] {
  return scopes.flatMap((scope, at) => [...(at > 0 ? [''] : []), ...scopeLines(scope)]);
}

export function scopeLines(health: ScopeHealth): string[] {
  const { scope, level, rank, reason, since, strategy, override, readOnly, stragglers } = health;
  const color = rank === 0 ? pc.green : rank === 1 ? pc.yellow : pc.red;
  return facts([
    [scope, color(level)],
    ['why', rank === 0 && override === undefined ? undefined : reason],
    ['since', since === '' ? undefined : since],
    ['set by', override && `${override.by}, until ${new Date(override.until).toISOString()}`],
    [
      'read only',
      readOnly &&
        pc.red(
          `${readOnly.reason} (${readOnly.by})${readOnly.until === undefined ? '' : `, until ${new Date(readOnly.until).toISOString()}`}`,
        ),
    ],
    ['off', list(strategy.off)],
    ['cache only', list(strategy.cacheOnly)],
    ['limits', rank === 0 ? undefined : limitsOf(health)],
    ['jobs held', list(strategy.holdJobs)],
    ['comes back', backOf(health)],
    ['sees', seenOf(health)],
    ['processes', String(health.processes)],
    ['not applied by', list(stragglers.map(({ name, why }) => `${name} (${why})`))],
    [
      'controller',
      health.watched
        ? undefined
        : pc.red(
            Number.isFinite(health.silentMs)
              ? `silent for ${duration(health.silentMs)}: \`chronawflow worker --control\``
              : 'never heard: `chronawflow worker --control`',
          ),
    ],
  ]);
}

const list = (names: readonly string[]) => (names.length === 0 ? undefined : names.join(', '));

function limitsOf({ strategy: { limits } }: ScopeHealth): string | undefined {
  const shares = Object.entries(limits).filter(([, share]) => share < 1);
  return list(shares.map(([name, share]) => `${name} ${Math.round(share * 100)} %`));
}

function backOf({ wayBack, override }: ScopeHealth): string | undefined {
  if (override !== undefined) return 'when its time is over, or with `chronawflow degradation release`';
  if (wayBack === undefined) return undefined;
  const { keeping, dwellLeftMs, budgetLeft } = wayBack;
  const waits = keeping.map(({ signal, worse, leave, value }) =>
    value === undefined
      ? `${signal} is heard again`
      : `${signal} is ${worse === 'higher' ? 'at most' : 'at least'} ${leave} (now ${shown(value)})`,
  );
  if (budgetLeft === 0) waits.push('the hour has room for another step back');
  if (waits.length > 0) return `a dwell after ${waits.join(' and ')}`;
  return dwellLeftMs === undefined ? 'a dwell after all is well' : `in ${duration(dwellLeftMs)}`;
}

function seenOf({ readings }: ScopeHealth): string {
  const seen = Object.entries(readings).map(
    ([signal, { value, instances }]) => `${signal} ${shown(value)} (${instances})`,
  );
  return list(seen) ?? 'nothing';
}

const shown = (value: number) => String(Number(value.toPrecision(4)));

/** Columns of the drawing: what fits a narrow terminal beside a level's name. */
const WIDTH = 60;

/** The changes one by one, and the levels over time: a row for each level, the hardest on top. */
export function simulationPage(
  policy: Policy,
  points: readonly SeriesPoint[],
  steps: readonly SimulatedStep[],
): string[] {
  const nameOf = (rank: number) => policy.levels[rank]?.name ?? String(rank);
  const changes = steps.flatMap(({ at, transition }) =>
    transition === undefined ? [] : [{ at, transition }],
  );
  const instances = new Set(points.map(({ instance }) => instance)).size;
  return [
    `${points.length} samples of ${instances} instances, ${steps.length} decisions, ${changes.length} changes`,
    ...(changes.length === 0
      ? []
      : table(
          ['time', 'from', 'to', 'why'],
          changes.map(({ at, transition: { from, to, reason } }) => [
            new Date(at).toISOString(),
            nameOf(from),
            nameOf(to),
            reason,
          ]),
          4,
        )),
    ...drawing(policy, steps),
  ];
}

/** A column shows the hardest level of its time. */
function drawing(policy: Policy, steps: readonly SimulatedStep[]): string[] {
  const columns = Math.min(WIDTH, steps.length);
  const ranks = Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * steps.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * steps.length) / columns));
    return Math.max(...steps.slice(from, to).map(({ state }) => state.rank));
  });
  const width = Math.max(...policy.levels.map(({ name }) => name.length));
  const rows = policy.levels.map(
    ({ name }, rank) =>
      `${name.padEnd(width)} │${ranks.map((at) => (at === rank ? '█' : at > rank && rank > 0 ? '░' : ' ')).join('')}`,
  );
  return [...rows.reverse(), `${' '.repeat(width)} └${'─'.repeat(columns)}`];
}
