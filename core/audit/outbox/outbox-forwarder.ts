import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { forwardOutbox } from './audit-outbox';

/** The part of a pino logger that is used. */
interface ForwarderLog {
  warn(fields: object, message: string): void;
}

/** An event is in the audit log after about this long. */
const PAUSE_MS = 1_000;
/** While a database is away. */
const FAILED_MS = 5_000;

/** Brings the application's audit events to the control plane, one after the other with other workers. */
export class OutboxForwarder {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly application: Pool,
    private readonly platform: Pool,
    private readonly log: ForwarderLog,
  ) {}

  start(): void {
    this.running ??= this.loop();
  }

  /** Resolves when nothing is under way any more; what is left is another worker's, or this one's after its start. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const pause = await this.round();
      await sleep(pause, undefined, { signal }).catch(() => {
        // Told to stop: the loop looks.
      });
    }
  }

  private async round(): Promise<number> {
    try {
      while ((await forwardOutbox(this.application, this.platform)) > 0)
        if (this.stopping.signal.aborted) break;
      return PAUSE_MS;
    } catch (error) {
      this.log.warn({ err: error }, 'audit events could not be brought to the control plane; trying again');
      return FAILED_MS;
    }
  }
}
