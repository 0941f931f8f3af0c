/** Part of what asks is admitted, evenly: at a share of 0.3 every third to fourth. */
export class Gate {
  private credit = 0;
  private readonly moves: boolean;

  /** @param clock monotonic, in milliseconds; not asked where the share does not change. */
  constructor(
    private readonly share: Share,
    private readonly clock: () => number,
  ) {
    this.moves = share.from !== share.to;
  }

  admits(): boolean {
    const share = this.moves ? shareAt(this.share, this.clock()) : this.share.to;
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
