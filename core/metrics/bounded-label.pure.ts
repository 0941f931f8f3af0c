/** What stands for every value that is not among the busiest. */
export const OTHER = 'other';

/** Longer values are cut: they are somebody's input. In UTF-16 units. */
const LONGEST = 120;

/** Decisions between two looks at who is busiest. */
const REVIEW_EVERY = 4_096;

/**
 * Lets the busiest N values of a label through and turns the rest into `other`.
 *
 * Counts at most 2 N values with the Space-Saving algorithm (Metwally, Agrawal, El Abbadi, 2005), which never misses a
 * value with more than 1/(2 N) of the traffic. Counts are halved at each review, so that yesterday's busiest give way.
 */
export class BoundedLabel {
  private readonly counts = new Map<string, number>();
  private readonly members = new Set<string>();
  private untilReview = REVIEW_EVERY;

  constructor(
    readonly top: number,
    /** Called with a value that has left the top. */
    private readonly onLeave: (value: string) => void = () => undefined,
  ) {}

  /** The value itself or `other`; `weight` is how often it occurred. */
  of(raw: string, weight = 1): string {
    const value = raw.length > LONGEST ? raw.slice(0, LONGEST) : raw;
    if (value === OTHER) return OTHER;
    this.count(value, weight);
    this.untilReview -= 1;
    if (this.untilReview <= 0) this.review();
    if (this.members.has(value)) return value;
    if (this.members.size >= this.top) return OTHER;
    this.members.add(value);
    return value;
  }

  private count(value: string, weight: number): void {
    const known = this.counts.get(value);
    if (known !== undefined) {
      this.counts.set(value, known + weight);
      return;
    }
    if (this.counts.size < 2 * this.top) {
      this.counts.set(value, weight);
      return;
    }
    const [rarest, count] = weakest(this.counts.entries());
    this.counts.delete(rarest);
    this.counts.set(value, count + weight);
  }

  /** A newcomer must be twice as busy as the member it replaces, or two of about the same size would change places for ever. */
  private review(): void {
    this.untilReview = REVIEW_EVERY;
    const candidates = [...this.counts]
      .filter(([value]) => !this.members.has(value))
      .sort(([, a], [, b]) => b - a);
    for (const [value, count] of candidates) {
      const [member, its] = weakest(this.membersWithCounts());
      if (count <= 2 * its) break;
      this.members.delete(member);
      this.members.add(value);
      this.onLeave(member);
    }
    for (const [value, count] of this.counts) this.counts.set(value, count / 2);
  }

  private *membersWithCounts(): Iterable<[string, number]> {
    for (const member of this.members) yield [member, this.counts.get(member) ?? 0];
  }
}

function weakest(entries: Iterable<[string, number]>): [string, number] {
  let least: [string, number] = ['', Number.POSITIVE_INFINITY];
  for (const entry of entries) if (entry[1] < least[1]) least = entry;
  return least;
}
