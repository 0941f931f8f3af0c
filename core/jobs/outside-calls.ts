/**
 * Which calls to outside systems an attempt announced. They are written down before they are made, where the code waits for
 * it (`ctx.call`), and at once beside the code where it does not (`ctx.idempotencyKey`): a job that is to run again after a
 * restore is shown with them.
 */
export class OutsideCalls {
  private readonly seen = new Set<string>();
  private fresh: string[] = [];
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly write: (names: readonly string[]) => Promise<void>) {}

  /** @returns when it is written; what the database throws is kept for `settled` */
  announce(name: string): Promise<void> {
    if (!this.seen.has(name)) {
      this.seen.add(name);
      this.fresh.push(name);
      this.writing = this.writing.then(() => this.flush());
      // Whoever does not wait for it hears of it at the attempt's end.
      this.writing.catch(() => undefined);
    }
    return this.writing;
  }

  /** Before the attempt ends well: nothing that it announced is forgotten. @throws what the database throws */
  settled(): Promise<void> {
    return this.writing;
  }

  private async flush(): Promise<void> {
    const names = this.fresh.splice(0);
    if (names.length > 0) await this.write(names);
  }
}
