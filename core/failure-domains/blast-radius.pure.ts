import type { DomainGraph } from './graph.pure';
import { type Spread, spread } from './spread.pure';
import type { BlastRadius, DomainKind, Hit, HitState, NarrowedNeed, PathStep, Tally } from './types';

/** What goes down, or does less, when these parts fail (README.md, invariants 1 to 5). */
export function blastRadius(graph: DomainGraph, failed: readonly number[]): BlastRadius {
  const isHard = (need: number) => graph.needs[need]?.strength === 'hard';
  const down = spread(graph, failed, isHard);
  const impaired = spreadImpaired(graph, down);
  const downHits = down.order.map((part) => hitOf(graph, part, 'down', (at) => stepOf(graph, at, down)));
  const impairedHits = impaired.order
    .filter((part) => down.reached[part] === 0)
    .map((part) => hitOf(graph, part, 'impaired', (at) => stepOf(graph, at, impaired, down)));
  const stateOf = (part: number): HitState | undefined => {
    if (down.reached[part] === 1) return 'down';
    return impaired.reached[part] === 1 ? 'impaired' : undefined;
  };
  return {
    failed: failed.map((part) => graph.names[part] ?? ''),
    hits: [...downHits, ...impairedHits],
    narrowed: narrowedNeeds(graph, down),
    services: tally(graph, 'service', stateOf),
    tenants: tally(graph, 'tenant', stateOf),
    queues: tally(graph, 'queue', stateOf),
    traffic: trafficShares(graph, stateOf),
  };
}

/**
 * Everything that is down counts as lost here too. A need that is soft impairs when it is not met; a hard one when what is
 * left of it is impaired, for without it the part would be down.
 */
function spreadImpaired(graph: DomainGraph, down: Spread): Spread {
  return spread(
    graph,
    down.order,
    (need) => {
      const { strength, of, atLeast } = graph.needs[need] ?? { strength: 'hard', of: [], atLeast: 0 };
      if (strength === 'hard') return true;
      // An impaired part still meets a soft need.
      return of.filter((part) => down.reached[part] === 0).length < atLeast;
    },
    (part) => down.reached[part] === 0,
  );
}

function hitOf(
  graph: DomainGraph,
  part: number,
  state: HitState,
  step: (part: number) => { readonly step: PathStep; readonly from: number } | undefined,
): Hit {
  const path: PathStep[] = [];
  for (let at = step(part); at !== undefined; at = step(at.from)) path.unshift(at.step);
  return { name: graph.names[part] ?? '', kind: graph.nodes[part]?.kind ?? 'service', state, path };
}

/** How a part was reached; parts that are down were seeds of the second round, and explain themselves by the first. */
function stepOf(
  graph: DomainGraph,
  part: number,
  found: Spread,
  before?: Spread,
): { readonly step: PathStep; readonly from: number } | undefined {
  const by = before?.reached[part] === 1 ? before : found;
  const from = by.cause[part] ?? -1;
  const need = graph.needs[by.need[part] ?? -1];
  if (from < 0 || need === undefined) return undefined;
  return {
    from,
    step: {
      name: graph.names[part] ?? '',
      cause: graph.names[from] ?? '',
      strength: need.strength,
      ...(need.of.length === 1 ? {} : { quorum: { atLeast: need.atLeast, of: need.of.length } }),
    },
  };
}

function narrowedNeeds(graph: DomainGraph, down: Spread): NarrowedNeed[] {
  return graph.needs.flatMap(({ owner, of, atLeast }, number) => {
    const left = of.length - (down.lost[number] ?? 0);
    if (left === of.length || left < atLeast || down.reached[owner] === 1) return [];
    return [{ name: graph.names[owner] ?? '', left, atLeast, of: of.length }];
  });
}

type StateOf = (part: number) => HitState | undefined;

function tally(graph: DomainGraph, kind: DomainKind, stateOf: StateOf): Tally {
  const sums = { down: 0, impaired: 0, of: 0 };
  for (const [part, node] of graph.nodes.entries()) {
    if (node.kind !== kind) continue;
    sums.of += node.count;
    const state = stateOf(part);
    if (state !== undefined) sums[state] += node.count;
  }
  return sums;
}

function trafficShares(graph: DomainGraph, stateOf: StateOf): BlastRadius['traffic'] {
  const sums = { down: 0, impaired: 0 };
  let all = 0;
  for (const [part, { traffic }] of graph.nodes.entries()) {
    all += traffic;
    const state = stateOf(part);
    if (state !== undefined) sums[state] += traffic;
  }
  return all === 0 ? sums : { down: sums.down / all, impaired: sums.impaired / all };
}
