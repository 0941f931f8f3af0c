/** Reads one at a time; whoever asks meanwhile has it read once more, because the read under way may have looked too early. */
export class Reread {
  private reading: Promise<void> | undefined;
  private again = false;

  /** @param read what it throws goes to `onError` */
  constructor(
    private readonly read: () => Promise<void>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Resolves when what was there at the call has been read, or reading failed. */
  now(): Promise<void> {
    if (this.reading !== undefined) {
      this.again = true;
      return this.reading;
    }
    this.reading = this.loop().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  /** Resolves when nothing is being read. */
  async idle(): Promise<void> {
    await this.reading;
  }

  private async loop(): Promise<void> {
    do {
      this.again = false;
      try {
        await this.read();
      } catch (error) {
        this.onError(error);
      }
    } while (this.again);
  }
}
