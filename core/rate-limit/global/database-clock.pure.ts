/** Two good clocks drift apart by less than this: quartz by 0.0001, and NTP slews by at most 0.0005. */
const DRIFT = 0.0006;

/**
 * What a process knows of the database's clock: between which two values it stands now. Each answer of the database
 * bounds it by the times of sending and receiving; bounds widen with age. Local times are monotonic milliseconds.
 */
export class DatabaseClock {
  private lowest = Number.NaN;
  private highest = Number.NaN;
  private at = 0;

  get known(): boolean {
    return !Number.isNaN(this.lowest);
  }

  /**
   * The database showed `databaseMs` at some time between `sentAt` and `receivedAt`.
   *
   * @returns whether its clock was set since the last time: the new bounds do not meet the old ones.
   */
  observe(sentAt: number, receivedAt: number, databaseMs: number): boolean {
    const drifted = DRIFT * (receivedAt - sentAt);
    const low = databaseMs - receivedAt - drifted;
    const high = databaseMs - sentAt + drifted;
    const spread = DRIFT * Math.max(0, receivedAt - this.at);
    const set = this.known && (low > this.highest + spread || high < this.lowest - spread);
    const apart = set || !this.known;
    this.lowest = apart ? low : Math.max(low, this.lowest - spread);
    this.highest = apart ? high : Math.min(high, this.highest + spread);
    this.at = receivedAt;
    return set;
  }

  /** The earliest that it can be now. */
  earliest(now: number): number {
    return now + this.lowest - DRIFT * Math.max(0, now - this.at);
  }

  /** The latest that it can be now. */
  latest(now: number): number {
    return now + this.highest + DRIFT * Math.max(0, now - this.at);
  }
}
