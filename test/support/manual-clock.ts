/** A monotonic clock that stands still until it is told to go on. */
export class ManualClock {
  private now = 1_000_000;

  readonly read = (): number => this.now;

  advance(ms: number): void {
    this.now += ms;
  }
}
