import type { BreakerKind } from '../../core/protection';

/** The breaker as its documentation tells it, with lists instead of rings and without a thought for speed. */
export class BreakerModel {
  kind: BreakerKind = 'closed';
  private calls: { at: number; failed: boolean; slow: boolean }[] = [];
  private streak = 0;
  private breaks = 0;
  private changedAt = 0;
  private credit = 0;
  private passed = 0;
  /** Calls that are counted when they end; the others began before the state that they would speak of. */
  private open = new Map<number, number>();

  constructor(
    private readonly rules: {
      readonly consecutiveFailures: number;
      readonly failureRate: number;
      readonly slowRate: number;
      readonly slowerThan: number;
      readonly minimumCalls: number;
      readonly window: { readonly calls: number } | { readonly duration: number; readonly buckets: number };
      readonly breakFor: number;
      readonly breakLimit: number;
      readonly probes: number;
      readonly probeLimit: number;
      readonly closeOver: number;
      readonly firstShare: number;
    },
  ) {}

  begin(call: number, now: number): boolean {
    const passes = this.admits(now);
    if (passes) this.open.set(call, now);
    return passes;
  }

  end(call: number, failed: boolean, now: number): void {
    const began = this.open.get(call);
    if (began === undefined) return;
    this.open.delete(call);
    const slow = now - began >= this.rules.slowerThan;
    this.calls.push({ at: now, failed, slow });
    this.streak = failed ? this.streak + 1 : 0;
    if (this.kind === 'half-open') {
      this.passed += 1;
      if (failed || slow) this.trip(now);
      else if (this.passed === this.rules.probes)
        this.enter(this.rules.closeOver === 0 ? 'closed' : 'closing', now);
    } else if (this.kind === 'closing') {
      if (this.broken(Math.min(this.rules.probes, this.rules.minimumCalls), now)) this.trip(now);
      else if (this.share(now) >= 1) this.kind = 'closed';
    } else if (this.kind === 'closed' && this.broken(this.rules.minimumCalls, now)) {
      this.breaks = 0;
      this.trip(now);
    }
  }

  giveUp(call: number): void {
    this.open.delete(call);
  }

  hold(kind: 'isolated' | 'forced-closed', now: number): void {
    if (this.kind !== kind) this.enter(kind, now);
  }

  release(now: number): void {
    if (this.kind === 'isolated' || this.kind === 'forced-closed') this.enter('closed', now);
  }

  counts(now: number): { calls: number; failed: number; slow: number } {
    const recent = this.recent(now);
    return {
      calls: recent.length,
      failed: recent.filter(({ failed }) => failed).length,
      slow: recent.filter(({ slow }) => slow).length,
    };
  }

  private admits(now: number): boolean {
    if (this.kind === 'open' && now - this.changedAt >= this.breakMs()) this.enter('half-open', now);
    if (this.kind === 'half-open') {
      if ([...this.open.values()].some((began) => now - began >= this.rules.probeLimit)) {
        this.trip(now);
        return false;
      }
      return this.open.size < this.rules.probes;
    }
    if (this.kind === 'closing') {
      const share = this.share(now);
      if (share >= 1) {
        this.kind = 'closed';
        return true;
      }
      this.credit += share;
      if (this.credit < 1) return false;
      this.credit -= 1;
      return true;
    }
    return this.kind === 'closed' || this.kind === 'forced-closed';
  }

  private share(now: number): number {
    const { closeOver, firstShare } = this.rules;
    return firstShare + ((1 - firstShare) * (now - this.changedAt)) / closeOver;
  }

  private broken(minimum: number, now: number): boolean {
    const { consecutiveFailures, failureRate, slowRate } = this.rules;
    const { calls, failed, slow } = this.counts(now);
    if (this.streak >= consecutiveFailures) return true;
    return calls >= minimum && (failed / calls >= failureRate || slow / calls >= slowRate);
  }

  private recent(now: number): typeof this.calls {
    const { window } = this.rules;
    if ('calls' in window) return this.calls.slice(-window.calls);
    const width = window.duration / window.buckets;
    const oldest = Math.floor(now / width) - window.buckets + 1;
    return this.calls.filter(({ at }) => Math.floor(at / width) >= oldest);
  }

  private breakMs(): number {
    return Math.min(this.rules.breakLimit, this.rules.breakFor * 2 ** (this.breaks - 1));
  }

  private trip(now: number): void {
    this.enter('open', now);
    this.breaks += 1;
  }

  private enter(kind: BreakerKind, now: number): void {
    if (kind === 'closed' || kind === 'isolated' || kind === 'forced-closed') this.breaks = 0;
    const before = this.kind;
    this.kind = kind;
    this.changedAt = now;
    if (!(before === 'half-open' && (kind === 'closed' || kind === 'closing'))) this.calls = [];
    this.streak = 0;
    this.passed = 0;
    this.credit = 1;
    this.open.clear();
  }
}
