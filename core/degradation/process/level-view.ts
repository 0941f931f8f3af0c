import { levelAt } from '../policy.pure';
import type { Level, Policy, PriorityClass, ReadOnly } from '../types';
import type { Admission, Request } from './admission';
import { Gate, type Share } from './gate';

/** What a switched-off feature begins with when it is on again. */
const FIRST_SHARE = 0.1;
const IN: Admission = { admitted: true };

/** What is in force for one scope in this process. Asking costs a look into a map that is empty at normal. */
export class LevelView {
  private current: Level;
  private rank = 0;
  private refused: ReadOnly | undefined;
  private readonly core: ReadonlySet<string>;
  private features: ReadonlyMap<string, Gate> = new Map();
  private classes: Readonly<Record<PriorityClass, Gate | undefined>>;

  /** @param clock monotonic, in milliseconds. */
  constructor(
    private readonly policy: Policy,
    private readonly clock: () => number,
    private readonly onCoreShed: (feature: string, level: string) => void = () => undefined,
  ) {
    this.current = levelAt(policy, 0);
    this.core = new Set(policy.core);
    this.classes = { high: undefined, normal: undefined, low: undefined };
  }

  /** Puts a level in force. On the way back what was shed is let in again little by little. */
  enter(rank: number, readOnly: ReadOnly | undefined, gently: boolean): void {
    this.refused = readOnly;
    if (rank === this.rank) return;
    const before = this.current;
    const next = levelAt(this.policy, rank);
    const now = this.clock();
    const rampMs = gently && rank < this.rank ? this.policy.slowStartMs : 0;
    const gate = (from: number, to: number) => {
      const share: Share = { from: rampMs > 0 ? from : to, to, since: now, until: now + rampMs };
      return new Gate(share, this.clock);
    };
    const features = new Map<string, Gate>();
    for (const feature of next.off) {
      // The policy was checked when it was loaded; this process may follow one that was not.
      if (this.core.has(feature)) this.onCoreShed(feature, next.name);
      else features.set(feature, gate(0, 0));
    }
    for (const feature of before.off)
      if (rampMs > 0 && !features.has(feature)) features.set(feature, gate(FIRST_SHARE, 1));
    this.features = features;
    const gateOf = (one: PriorityClass) =>
      next.limits[one] < 1 || rampMs > 0 ? gate(before.limits[one], next.limits[one]) : undefined;
    this.classes = { high: gateOf('high'), normal: gateOf('normal'), low: gateOf('low') };
    this.current = next;
    this.rank = rank;
  }

  /** The level's name. */
  level(): string {
    return this.current.name;
  }

  /** What the level is, all of it. */
  get strategy(): Level {
    return this.current;
  }

  get readOnly(): ReadOnly | undefined {
    return this.refused;
  }

  /** Whether a feature answers now. While it comes back after a step towards normal, for a growing share of those who ask. */
  allows(feature: string): boolean {
    const gate = this.features.get(feature);
    return gate === undefined || gate.admits();
  }

  /** Whether a feature has to answer from what it remembers. */
  cacheOnly(feature: string): boolean {
    return this.current.cacheOnly.includes(feature) && !this.core.has(feature);
  }

  isCore(feature: string): boolean {
    return this.core.has(feature);
  }

  /** How long regular work that usually comes every `ms` has to wait now. */
  interval(ms: number): number {
    return ms * this.current.intervals;
  }

  /** The usual page size as the level has it, at least 1. */
  pageSize(usual: number): number {
    return Math.max(1, Math.floor(usual * this.current.pageSize));
  }

  /** Share of their usual limits that calls have now, for `timeout({ scale })`. */
  timeoutScale(): number {
    return this.current.timeoutScale;
  }

  holdsJobs(priority: PriorityClass): boolean {
    return this.current.holdJobs.includes(priority);
  }

  /** The one decision about a request or a job: core first, then whether writes are taken, the feature, the class. */
  admit({ feature, priority = 'normal', writes = false }: Request): Admission {
    if (writes && this.refused !== undefined) return this.turnedAway('read-only');
    if (feature !== undefined) {
      if (this.core.has(feature)) return IN;
      if (!this.allows(feature)) return this.turnedAway('off');
    }
    const gate = this.classes[priority];
    return gate === undefined || gate.admits() ? IN : this.turnedAway('shed');
  }

  private turnedAway(why: 'off' | 'shed' | 'read-only'): Admission {
    // A share of the class is let in: it may be this one's turn soon. What is off stays so for a dwell at least.
    const retryAfterMs = why === 'off' ? this.policy.dwellMs : this.policy.intervalMs;
    return { admitted: false, why, level: this.current.name, retryAfterMs };
  }
}
