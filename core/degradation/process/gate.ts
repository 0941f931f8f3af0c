/** Part of what asks is admitted, evenly: at a share of 0.3 every third to fourth. */
export class Gate {
  private credit = 0;

  /** @param share what is admitted at a time on the monotonic clock, from 0 to 1. */
  constructor(private readonly share: Share) {}

  admits(now: number): boolean {
    const share = shareAt(this.share, now);
    if (share >= 1) return true;
    this.credit += share;
    if (this.credit < 1) return false;
    this.credit -= 1;
    return true;
  }
}

/** From `from` at `since` to `to` at `until`, in a straight line; `to` from then on. Times in milliseconds, monotonic. */
export interface Share {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
}

export function shareAt({ from, to, since, until }: Share, now: number): number {
  if (now >= until) return to;
  return from + ((to - from) * (now - since)) / (until - since);
}
