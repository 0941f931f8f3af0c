import type { BlastRadius, DomainNode, DomainNodes, Hit, Need, Tally } from '../../../core/failure-domains';
import { colors as pc } from '../colors';
import { facts, table } from './format';

/** Enough for a screen; --json has all. */
const MOST_HITS = 60;

export function domainsPage(nodes: DomainNodes): string[] {
  return table(
    ['part', 'kind', 'needs', 'traffic', 'from'],
    Object.entries(nodes).map(([name, node]) => [
      name,
      node.count === 1 ? node.kind : `${node.kind} × ${node.count}`,
      node.needs.map(needText).join(', '),
      node.traffic === 0 ? '' : String(node.traffic),
      node.found ?? 'declared',
    ]),
    5,
  );
}

export function domainPage(name: string, node: DomainNode, neededBy: readonly string[]): string[] {
  return [
    pc.bold(name),
    ...facts([
      ['kind', node.kind],
      ['from', node.found ?? 'declared'],
      ['needs', node.needs.map(needText).join(', ') || 'nothing'],
      ['needed by', neededBy.join(', ') || 'nothing'],
    ]),
  ];
}

export function blastPage(radius: BlastRadius): string[] {
  const { hits, narrowed, services, tenants, queues, traffic } = radius;
  const shown = hits.slice(0, MOST_HITS);
  return [
    pc.bold(`When ${radius.failed.join(' and ')} ${radius.failed.length === 1 ? 'fails' : 'fail'}`),
    ...facts([
      ['services', tallyText(services)],
      ['tenants', tallyText(tenants)],
      ['queues of jobs', tallyText(queues)],
      ['traffic', `${percent(traffic.down)} down, ${percent(traffic.impaired)} impaired`],
    ]),
    '',
    ...table(
      ['part', 'kind', 'state', 'because'],
      shown.map((hit) => [hit.name, hit.kind, hit.state, because(hit)]),
      4,
    ),
    ...(shown.length < hits.length ? [`… and ${hits.length - shown.length} more; --json shows all`] : []),
    ...narrowed.map(
      ({ name, left, atLeast, of }) =>
        `${pc.yellow('!')} ${name} still has ${left} of ${of} where it needs ${atLeast}`,
    ),
  ];
}

function because({ path }: Hit): string {
  const [first] = path;
  if (first === undefined) return 'it fails itself';
  return [
    first.cause,
    ...path.map(({ name, strength, quorum }) => `${arrow(strength, quorum)} ${name}`),
  ].join(' ');
}

function arrow(strength: Need['strength'], quorum: { atLeast: number; of: number } | undefined): string {
  const label = quorum === undefined ? '' : `(${quorum.atLeast} of ${quorum.of})`;
  return strength === 'soft' ? `┄${label}▸` : `─${label}▸`;
}

function needText({ of, atLeast, strength }: Need): string {
  const names = of.length === 1 ? of[0] : `${atLeast} of (${of.join(', ')})`;
  return strength === 'soft' ? `${names} (soft)` : `${names}`;
}

function tallyText({ down, impaired, of }: Tally): string {
  return `${down} down, ${impaired} impaired, of ${of}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
