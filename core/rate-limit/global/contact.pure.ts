import { SILENCE_MS } from './timing.pure';

/** Failures in a row that mean the database is lost; one is often just a connection that had died. */
const FAILURES_UNTIL_LOST = 2;

/** A statement under way: the database refuses to run it after `deadline`, so it cannot have seen us later. */
export interface Sent {
  readonly deadline: number;
}

/**
 * Whether the database can be reached, and the latest time at which it can have seen this process. From the latter
 * follows in which slots the others keep this process's share free. Times of the database, in milliseconds.
 */
export class Contact {
  private failures = 0;
  /** How often the database was lost. */
  losses = 0;
  private readonly pending = new Set<Sent>();
  private seen = Number.NEGATIVE_INFINITY;
  private seenBeforeRejoin = Number.NEGATIVE_INFINITY;
  private rejoinedAt = Number.NEGATIVE_INFINITY;

  get lost(): boolean {
    return this.failures >= FAILURES_UNTIL_LOST;
  }

  sent(deadline: number): Sent {
    const sent = { deadline };
    this.pending.add(sent);
    return sent;
  }

  answered(sent: Sent, at: number): void {
    this.pending.delete(sent);
    this.seen = Math.max(this.seen, at);
    // While lost only rejoining ends it: an answer that came too late is no sign of a way back.
    if (!this.lost) this.failures = 0;
  }

  failed(sent: Sent): void {
    // It may have been run all the same, at any time until its deadline.
    if (this.pending.delete(sent)) this.seen = Math.max(this.seen, sent.deadline);
    this.fail();
  }

  /** A statement failed that the database cannot have taken for a sign of life. */
  unreachable(): void {
    this.fail();
  }

  /** Sends the statement that says "I am back, and decided for myself until now". */
  sentRejoin(deadline: number): Sent {
    this.seenBeforeRejoin = this.latestSeen();
    return this.sent(deadline);
  }

  rejoined(sent: Sent, at: number): void {
    this.pending.delete(sent);
    this.rejoinedAt = at;
    this.seen = at;
    this.failures = 0;
  }

  /** The database's clock was set, and shows `at` now: earlier times are not comparable any more. */
  clockSet(at: number): void {
    this.pending.clear();
    this.seen = at;
    this.seenBeforeRejoin = at;
    this.rejoinedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Whether this process may decide by its own share in the slot that begins at `start`. The slots of the `backMs` before
   * share its limit: the others have to have kept the share free in all of them.
   */
  ownShareIn(start: number, backMs: number): boolean {
    const free = start - backMs - SILENCE_MS;
    if (this.lost) return this.latestSeen() < free;
    return start <= this.rejoinedAt && this.seenBeforeRejoin < free;
  }

  private fail(): void {
    this.failures += 1;
    if (this.failures === FAILURES_UNTIL_LOST) this.losses += 1;
  }

  private latestSeen(): number {
    let latest = this.seen;
    for (const { deadline } of this.pending) if (deadline > latest) latest = deadline;
    return latest;
  }
}
