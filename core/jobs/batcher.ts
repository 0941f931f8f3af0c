/**
 * Collects what concurrent callers ask for and does it in one statement. While one is under way the next batch gathers,
 * so that a batch is as large as the load and a lone caller never waits.
 */
export class Batcher<In, Out> {
  private waiting: Pending<In, Out>[] = [];
  private busy = false;

  /** @param run answers for every item, in the order of the items; when it throws, all of them fail */
  constructor(
    private readonly run: (items: readonly In[]) => Promise<readonly Out[]>,
    private readonly limit = 500,
  ) {}

  do(item: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // Callers of this very turn come along.
      if (!this.busy) {
        this.busy = true;
        setImmediate(() => void this.drain());
      }
    });
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.limit);
      try {
        const answers = await this.run(batch.map(({ item }) => item));
        batch.forEach(({ resolve, reject }, index) => {
          const answer = answers[index];
          if (answer === undefined) reject(new RangeError('a batch answered for fewer items than it had'));
          else resolve(answer);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.busy = false;
  }
}

interface Pending<In, Out> {
  readonly item: In;
  resolve(answer: Out): void;
  reject(error: unknown): void;
}
