import type { Pool, PoolClient } from 'pg';

/** A transaction that runs one statement and then stays open, idle, with its locks. */
export class LongTransaction {
  private client: PoolClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Resolves with what went wrong, if anything: the timer has nobody to throw it at. */
  private ending: Promise<{ readonly failure?: unknown }> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly statement: string,
    private readonly values: unknown[] = [],
  ) {}

  async begin(): Promise<void> {
    this.client = await this.pool.connect();
    await this.client.query('begin');
    await this.client.query(this.statement, this.values);
  }

  /** Lets it end by itself; {@link end} waits for that, or brings it about at once. */
  endAfter(ms: number): void {
    this.timer = setTimeout(() => {
      this.ending ??= this.rollBack();
    }, ms);
  }

  /** Safe to call more than once. */
  async end(): Promise<void> {
    clearTimeout(this.timer);
    this.ending ??= this.rollBack();
    const { failure } = await this.ending;
    if (failure !== undefined) throw failure;
  }

  private async rollBack(): Promise<{ readonly failure?: unknown }> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.query('rollback');
      return {};
    } catch (failure) {
      return { failure };
    } finally {
      client?.release();
    }
  }
}
