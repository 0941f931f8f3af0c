import type { LeaseAnswer } from './leased-meter';

interface WaitingRequest {
  readonly cost: number;
  readonly scale: number;
  readonly since: number;
  readonly settle: (answer: LeaseAnswer) => void;
}

/** More than this at once is refused: their answers would come too late to be of use. */
const MOST_WAITING = 10_000;

/** Requests that no lease covers yet, first come, first served. */
export class WaitingRequests {
  private queue: WaitingRequest[] = [];
  cost = 0;

  get full(): boolean {
    return this.queue.length >= MOST_WAITING;
  }

  /** Cost of the first one. */
  get next(): number {
    return this.queue[0]?.cost ?? 0;
  }

  add(request: WaitingRequest): void {
    this.queue.push(request);
    this.cost += request.cost;
  }

  /** Settles those that can be decided now, in order, and those that have waited too long. */
  settle(
    now: number,
    limitMs: number,
    decide: (cost: number, scale: number) => LeaseAnswer | undefined,
  ): void {
    const still: WaitingRequest[] = [];
    for (const request of this.queue) {
      const answer =
        (still.length === 0 ? decide(request.cost, request.scale) : undefined) ??
        (now - request.since >= limitMs ? waitedTooLong(limitMs) : undefined);
      if (answer === undefined) {
        still.push(request);
      } else {
        this.cost -= request.cost;
        request.settle(answer);
      }
    }
    this.queue = still;
  }
}

export function waitedTooLong(retryAfterMs: number): LeaseAnswer {
  return { allowed: false, remaining: 0, resetMs: retryAfterMs, retryAfterMs, reason: 'waiting' };
}
