import { calledFor, type Evidence, KEPT, REFUSES_WRITES, TAKES_WRITES } from './evidence.pure';
import type { LevelAct } from './level-act.pure';
import { rankOf } from './policy.pure';
import { DATABASE } from './read-only.pure';
import type { LevelState, Override, Policy, ReadOnly } from './types';
import { MOST_VERSIONS_LEFT_OUT } from './versions.pure';
import { standingRank } from './way-back.pure';

/** What stands published, by the database's clock in milliseconds since the epoch. */
export interface Standing {
  readonly version: number;
  /** Name of the level. */
  readonly level: string;
  readonly rank: number;
  /** Since when it is at this level. */
  readonly since: number;
  readonly override: Override | undefined;
  readonly readOnly: ReadOnly | undefined;
  readonly evidence: Evidence;
  /** When levels were left towards normal within the last hour, the oldest first. */
  readonly recoveredAt: readonly number[];
  readonly now: number;
}

export type Justification =
  /** It follows from what was seen. */
  | { readonly kind: 'seen' }
  /** It follows, but not yet. */
  | { readonly kind: 'early'; readonly inMs: number }
  /** Only a person can want it. */
  | { readonly kind: 'by-hand'; readonly why: string };

/** How long after a look a change that it calls for is believed; its publication is tried again all the while. */
const EVIDENCE_MS = 15 * 60_000;

/** Between the controller's clock and the moment of the publication. */
const CLOCK_MS = 60_000;

const SEEN: Justification = { kind: 'seen' };

/**
 * Why a level may be changed: each part of the change follows from what looks have seen and kept in the database, or is what a
 * person wants. Whoever asks for a publication proves nothing by it (README.md, invariant 13).
 *
 * @param act what a person wants, when the change is by hand; whether he may is verified elsewhere
 */
export function justify(
  policy: Policy,
  standing: Standing,
  wanted: Pick<LevelState, 'rank' | 'version' | 'override' | 'readOnly'>,
  act: LevelAct | undefined,
): Justification {
  const { version } = wanted;
  if (version > standing.version + MOST_VERSIONS_LEFT_OUT)
    return byHand(`version ${version} does not follow ${standing.version}`);
  const parts = [
    ofOverride(policy, standing, wanted.override, act),
    ofReadOnly(standing, wanted.readOnly, act),
    ofRank(policy, standing, wanted),
  ];
  return parts.find(({ kind }) => kind === 'by-hand') ?? parts.find(({ kind }) => kind === 'early') ?? SEEN;
}

function ofOverride(
  policy: Policy,
  { override: before, now }: Standing,
  after: Override | undefined,
  act: LevelAct | undefined,
): Justification {
  if (after === undefined) {
    if (before === undefined || before.until <= now || act?.kind === 'release') return SEEN;
    return byHand('the level was set by hand, and its time is not over');
  }
  if (before !== undefined && sameOverride(before, after)) return SEEN;
  if (
    act?.kind === 'set' &&
    rankOf(policy, act.level) === after.rank &&
    after.reason === act.reason &&
    after.until <= now + act.forMs + CLOCK_MS
  )
    return SEEN;
  return byHand('the level is set against the controller');
}

function ofReadOnly(
  { readOnly: before, evidence, now }: Standing,
  after: ReadOnly | undefined,
  act: LevelAct | undefined,
): Justification {
  const seen = (what: string) => recent(evidence, what, now);
  if (after === undefined) {
    if (before === undefined || act?.kind === 'writable') return SEEN;
    const over = before.by === DATABASE ? seen(TAKES_WRITES) : (before.until ?? Infinity) <= now;
    return over ? SEEN : byHand('writes are refused, and nothing says that they need not be any more');
  }
  if (before !== undefined && sameReadOnly(before, after)) return SEEN;
  if (after.by === DATABASE && after.until === undefined)
    return before === undefined && seen(REFUSES_WRITES)
      ? SEEN
      : byHand('no look has seen the database refuse writes');
  if (
    act?.kind === 'read-only' &&
    after.reason === act.reason &&
    (after.until ?? Infinity) <= now + act.forMs + CLOCK_MS
  )
    return SEEN;
  return byHand('writes are refused by hand');
}

function ofRank(
  policy: Policy,
  standing: Standing,
  { rank, override }: Pick<LevelState, 'rank' | 'override'>,
): Justification {
  const { evidence, now } = standing;
  if (override !== undefined)
    return override.rank === rank ? SEEN : byHand('it is not the level that was set by hand');
  const from = standingRank(policy, standing);
  if (rank === from) return SEEN;
  if (rank > from) {
    const called = policy.levels.slice(rank).some(({ name }) => recent(evidence, calledFor(name), now));
    return called ? SEEN : byHand('no look has seen a signal that calls for this level');
  }
  if (rank < from - 1) return byHand('levels are left one by one');
  const calmSince = Math.max(standing.since, evidence[KEPT] ?? 0);
  const inMs = calmSince + policy.dwellMs - now;
  return inMs > 0 ? { kind: 'early', inMs } : SEEN;
}

function recent(evidence: Evidence, what: string, now: number): boolean {
  return (evidence[what] ?? Number.NEGATIVE_INFINITY) >= now - EVIDENCE_MS;
}

function sameOverride(a: Override, b: Override): boolean {
  return a.rank === b.rank && a.by === b.by && a.reason === b.reason && a.until === b.until;
}

function sameReadOnly(a: ReadOnly, b: ReadOnly): boolean {
  return a.by === b.by && a.reason === b.reason && a.until === b.until;
}

function byHand(why: string): Justification {
  return { kind: 'by-hand', why };
}
