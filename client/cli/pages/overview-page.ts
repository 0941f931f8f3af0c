import type { Overview, Part } from '../../overview';
import { colors as pc } from '../colors';
import { scopeLines } from './degradation-page';
import { count, duration, facts } from './format';

/** Rows of a list that are shown; the commands of each capability show all. */
const SHOWN = 5;

export function overviewPage({ levels, breakers, queues, objectives, drill, seal }: Overview): string[] {
  return [
    ...section('Level', levels, (all) =>
      all === 'off' ? ['no section degradation'] : all.flatMap(scopeLines),
    ),
    ...section('Breakers', breakers, (all) =>
      all.length === 0
        ? [pc.green('all closed')]
        : some(
            all.map(
              ({ service, operation, tenant, state, reason, since }) =>
                `${pc.red(state)} ${[service, operation, tenant].filter((one) => one !== '').join('/')}: ${reason}, since ${since}`,
            ),
          ),
    ),
    ...section('Queues', queues, (all) => {
      const sum = (of: (queue: (typeof all)[number]) => number) =>
        all.reduce((total, one) => total + of(one), 0);
      const dead = sum((queue) => queue.dead);
      const oldest = Math.max(0, ...all.map(({ oldestMs }) => oldestMs));
      return [
        `${count(sum((queue) => queue.waiting))} wait, the oldest for ${duration(oldest)}; ` +
          `${count(sum((queue) => queue.inFlight))} run; ${dead > 0 ? pc.red(`${count(dead)} dead`) : '0 dead'}`,
      ];
    }),
    ...section('RPO, RTO', objectives, ({ tiers, breaches }) =>
      breaches.length > 0
        ? some(
            breaches.map(({ tier, objective, message }) =>
              pc.red(`${tier}: ${objective} missed, ${message}`),
            ),
          )
        : tiers.length === 0
          ? ['no tier is configured']
          : some(
              tiers.map(
                ({ tier, rpoMs, rtoMs }) =>
                  `${tier}: would lose ${rpoMs === undefined ? 'everything' : duration(rpoMs)}, ` +
                  `restores in ${rtoMs === undefined ? 'a time that was never shown' : duration(rtoMs)}`,
              ),
            ),
    ),
    ...section('Last drill', drill, (last) => [
      last === 'none' ? pc.yellow('none yet') : `${last.outcome}, ${last.tenant ?? '-'}, ${last.finishedAt}`,
    ]),
    ...section('Audit seal', seal, ({ sealedAt, unsealed }) => [
      sealedAt === undefined
        ? pc.yellow('nothing was ever sealed')
        : `sealed ${sealedAt}, ${unsealed > 0 ? `${count(unsealed)} events wait` : 'nothing waits'}`,
    ]),
  ];
}

function section<T>(name: string, part: Part<T>, lines: (value: T) => readonly string[]): string[] {
  if ('unknown' in part) return facts([[name, pc.red(`cannot be told: ${part.unknown}`)]]);
  const [first = '', ...rest] = lines(part.value);
  return rest.length === 0 ? facts([[name, first]]) : [name, ...[first, ...rest].map((line) => `  ${line}`)];
}

function some(lines: readonly string[]): string[] {
  const left = lines.length - SHOWN;
  return left > 0 ? [...lines.slice(0, SHOWN), `and ${left} more`] : [...lines];
}
