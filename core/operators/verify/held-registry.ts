import type { Pool, PoolClient } from 'pg';
import { lockRegistryShared } from '../registry';

/**
 * Keeps the registry as it is while another database commits. The transaction writes nothing, so it stands in no sealer's way;
 * when its connection breaks the lock is gone, and a revocation may come between by that much.
 */
export class HeldRegistry {
  private client: PoolClient | undefined;
  private broken: Error | undefined;

  constructor(private readonly platform: Pool) {}

  /** A connection that reads what holds until {@link release}. */
  async take(): Promise<PoolClient> {
    if (this.client !== undefined) return this.client;
    const client = await this.platform.connect();
    client.on('error', this.onError);
    this.client = client;
    await client.query('begin isolation level read committed read only');
    await lockRegistryShared(client);
    return client;
  }

  async release(): Promise<void> {
    const { client } = this;
    if (client === undefined) return;
    this.client = undefined;
    // Whoever held it has its result already: a connection that does not roll back is thrown away, and the lock with it.
    await client.query('rollback').catch((error: Error) => {
      this.broken ??= error;
    });
    client.off('error', this.onError);
    client.release(this.broken ?? false);
  }

  private readonly onError = (error: Error) => {
    this.broken = error;
  };
}
