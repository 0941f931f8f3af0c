import type { Client } from 'pg';
import { type ConnectionSettings, createClient } from './pool';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

/**
 * Listens on one channel over a connection of its own, and connects again whenever it is lost. Calls back for each
 * notification and after each connect, because what was told in between is lost.
 */
export class Listener {
  private client: Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private pauseMs = FIRST_RETRY_MS;
  private closed = false;

  constructor(
    private readonly connection: ConnectionSettings,
    private readonly applicationName: string,
    private readonly channel: string,
    private readonly onNews: () => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  async open(): Promise<void> {
    const client = createClient(this.connection, {
      applicationName: this.applicationName,
      connectTimeoutMs: 5_000,
    });
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client, undefined));
    client.on('notification', () => this.onNews());
    this.client = client;
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.channel)}`);
      this.pauseMs = FIRST_RETRY_MS;
      this.onNews();
    } catch (error) {
      this.lost(client, error);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    const { client } = this;
    this.client = undefined;
    await client?.end().catch((error: unknown) => this.onError(error));
  }

  private lost(client: Client, error: unknown): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    if (error !== undefined) this.onError(error);
    // It may be half open: whatever it says from now on is not heard.
    client.removeAllListeners('notification');
    client.end().catch(() => undefined);
    this.retry = setTimeout(() => void this.open(), this.pauseMs);
    this.retry.unref();
    this.pauseMs = Math.min(LONGEST_RETRY_MS, this.pauseMs * 2);
  }
}
