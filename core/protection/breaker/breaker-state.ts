/** Why a breaker opened. */
export type TripReason =
  | 'consecutive-failures'
  | 'failure-rate'
  | 'slow-rate'
  | 'probe-failed'
  | 'probe-slow'
  | 'probe-lost'
  /** Enough other processes had it open; shared mode only. */
  | 'shared';

/** Open, half-open and closing belong to one outage: it began at `since` and is over when the breaker is closed. */
interface Outage {
  /** Monotonic milliseconds at which the breaker was last closed. */
  readonly since: number;
  /** Number of the break, from 1; each is twice as long as the one before. */
  readonly attempt: number;
  /** Of the last opening. */
  readonly reason: TripReason;
}

/**
 *     closed ──trip──▶ open ──break over──▶ half-open ──probes pass──▶ closing ──share reaches 1──▶ closed
 *                       ▲                       │                         │
 *                       └──── break doubled ────┴──────── trip ───────────┘
 *
 * By hand, from any state: isolated (nothing passes) and forced-closed (everything does), until released into closed.
 */
export type BreakerState =
  | { readonly kind: 'closed' }
  | (Outage & { readonly kind: 'open'; readonly until: number })
  | (Outage & {
      readonly kind: 'half-open';
      /** When each probe that has no answer yet began. */
      readonly running: readonly number[];
      readonly passed: number;
    })
  | (Outage & {
      readonly kind: 'closing';
      readonly from: number;
      /** Shares of calls saved up; a whole one lets the next call pass. */
      readonly credit: number;
    })
  | { readonly kind: 'isolated' | 'forced-closed'; readonly why: string };

export type BreakerKind = BreakerState['kind'];

export const CLOSED: BreakerState = Object.freeze({ kind: 'closed' });
