export type DomainKind = 'tenant' | 'service' | 'database' | 'queue' | 'cache' | 'external';

/** So many of these parts have to be up. */
export interface Need {
  readonly of: readonly string[];
  readonly atLeast: number;
  /** Without a hard need a part is down, without a soft one it is impaired. */
  readonly strength: 'hard' | 'soft';
}

export interface DomainNode {
  readonly kind: DomainKind;
  readonly needs: readonly Need[];
  /** Weight of the traffic that enters here, relative to the others'. */
  readonly traffic: number;
  /** How many tenants it stands for; 1 for everything else. */
  readonly count: number;
  /** Where it is known from, when nobody declared it. */
  readonly found?: string;
}

export type DomainNodes = Readonly<Record<string, DomainNode>>;

export type HitState = 'down' | 'impaired';

/** One step from a failed part towards a part that is hit: `name` is hit because its need is not met without `cause`. */
export interface PathStep {
  readonly name: string;
  readonly cause: string;
  readonly strength: Need['strength'];
  /** Of a need that several can meet: how many have to be up, of how many. */
  readonly quorum?: { readonly atLeast: number; readonly of: number };
}

/** A part that is hit, and how the failure reaches it; the path of a part that failed itself is empty. */
export interface Hit {
  readonly name: string;
  readonly kind: DomainKind;
  readonly state: HitState;
  readonly path: readonly PathStep[];
}

/** A need that is still met, with fewer parts than before. */
export interface NarrowedNeed {
  readonly name: string;
  readonly left: number;
  readonly atLeast: number;
  readonly of: number;
}

export interface BlastRadius {
  readonly failed: readonly string[];
  /** Down first, each nearest first. */
  readonly hits: readonly Hit[];
  /** What is still met, but has lost parts: the next failure there may count. */
  readonly narrowed: readonly NarrowedNeed[];
  /** How many are down and impaired, of how many; tenants by the number that a node stands for. */
  readonly services: Tally;
  readonly tenants: Tally;
  readonly queues: Tally;
  /** Shares of all traffic, from 0 to 1. */
  readonly traffic: { readonly down: number; readonly impaired: number };
}

export interface Tally {
  readonly down: number;
  readonly impaired: number;
  readonly of: number;
}
