import type { DomainGraph } from './graph.pure';

/** Which parts are reached, in which order, and by which need from which part. */
export interface Spread {
  readonly order: readonly number[];
  /** By part: -1 where it was not reached or is a seed. */
  readonly cause: Int32Array;
  readonly need: Int32Array;
  readonly reached: Uint8Array;
  /** By need: how many of its parts were reached. */
  readonly lost: Int32Array;
}

/**
 * From the seeds along the needs that count: a need with fewer than `atLeast` parts left that were not reached reaches its
 * owner. Breadth first, so that the first way found to a part is a shortest one. Linear in parts plus needs.
 */
export function spread(
  graph: DomainGraph,
  seeds: readonly number[],
  counts: (need: number) => boolean,
  reachable: (part: number) => boolean = () => true,
): Spread {
  const order: number[] = [];
  const cause = new Int32Array(graph.names.length).fill(-1);
  const need = new Int32Array(graph.names.length).fill(-1);
  const reached = new Uint8Array(graph.names.length);
  const lost = new Int32Array(graph.needs.length);
  const reach = (part: number) => {
    reached[part] = 1;
    order.push(part);
  };
  for (const seed of seeds) if (reached[seed] === 0) reach(seed);
  for (let next = 0; next < order.length; next += 1) {
    const part = order[next] ?? 0;
    for (const met of graph.meets[part] ?? []) {
      const { owner, of, atLeast } = graph.needs[met] ?? { owner: 0, of: [], atLeast: 0 };
      lost[met] = (lost[met] ?? 0) + 1;
      const unmet = of.length - (lost[met] ?? 0) < atLeast;
      if (!unmet || !counts(met) || reached[owner] === 1 || !reachable(owner)) continue;
      cause[owner] = part;
      need[owner] = met;
      reach(owner);
    }
  }
  return { order, cause, need, reached, lost };
}
