import type { DomainNode, DomainNodes, Need } from './types';

/** One need of one part, with numbers in the place of names. */
export interface IndexedNeed {
  readonly owner: number;
  readonly of: readonly number[];
  readonly atLeast: number;
  readonly strength: Need['strength'];
}

/** A graph prepared for many questions: parts by number, and of each part the needs that it meets. */
export interface DomainGraph {
  readonly names: readonly string[];
  readonly nodes: readonly DomainNode[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly needs: readonly IndexedNeed[];
  /** By part: numbers of the needs that it helps to meet. */
  readonly meets: readonly (readonly number[])[];
}

/** Every need names parts that are there (`failureDomainsConfig` refuses others); one that does not is left out. */
export function buildGraph(nodes: DomainNodes): DomainGraph {
  const names = Object.keys(nodes);
  const numbers = new Map(names.map((name, number) => [name, number]));
  const needs: IndexedNeed[] = [];
  const meets: number[][] = names.map(() => []);
  for (const [owner, { needs: own }] of Object.values(nodes).entries()) {
    for (const { of, atLeast, strength } of own) {
      const known = of.flatMap((name) => numbers.get(name) ?? []);
      if (known.length < of.length) continue;
      for (const one of known) meets[one]?.push(needs.length);
      needs.push({ owner, of: known, atLeast, strength });
    }
  }
  return { names, nodes: Object.values(nodes), numbers, needs, meets };
}
