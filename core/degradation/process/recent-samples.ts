import type { ProcessSample } from '../store/report-process';

/**
 * What a process has seen until it is stale. Every report has all of it: a report that is overwritten before a controller has
 * looked, or that never arrived, loses nothing.
 */
export class RecentSamples {
  private kept: readonly { readonly sample: ProcessSample; readonly at: number }[] = [];

  /** @param clock monotonic, in milliseconds. */
  constructor(
    private readonly keepMs: number,
    private readonly clock: () => number,
  ) {}

  add(samples: readonly ProcessSample[]): void {
    const now = this.clock();
    const seen = samples.map((sample) => ({ sample, at: now - (sample.ageMs ?? 0) }));
    this.kept = [...this.kept.filter(({ at }) => now - at <= this.keepMs), ...seen];
  }

  /** Each as old as it is now; in the order in which they were added, by which older controllers take the last. */
  list(): ProcessSample[] {
    const now = this.clock();
    return this.kept.map(({ sample, at }) => ({ ...sample, ageMs: now - at }));
  }
}
