import type { Pool } from 'pg';
import { type ConnectionSettings, createPool, Listener, Reread } from '../../../database';
import type { PublishedLevel } from '../published-level';
import { CHANNEL, readLevels } from '../store/read-levels';
import { forgetProcess, type ProcessReport, reportProcess } from '../store/report-process';

export interface LevelLinkOptions {
  /** The control-plane database. */
  readonly connection: ConnectionSettings;
  /** A direct way to it where `connection` leads through a transaction pooler, which LISTEN does not pass. */
  readonly directConnection?: ConnectionSettings;
  readonly pollMs: number;
  readonly onLevels: (levels: readonly PublishedLevel[]) => void;
  readonly onError: (error: unknown) => void;
}

/** A control plane that does not answer for so long is away. */
const ANSWER_LIMIT_MS = 3_000;

/** Reads the levels when it is told of a change, and every `pollMs` in any case; while the database is away it goes on trying. */
export class LevelLink {
  private readonly pool: Pool;
  private readonly listener: Listener;
  private readonly levels: Reread;
  private poll: NodeJS.Timeout | undefined;

  constructor(private readonly options: LevelLinkOptions) {
    this.pool = createPool(options.connection, {
      applicationName: 'chronawflow levels',
      max: 2,
      connectTimeoutMs: ANSWER_LIMIT_MS,
      queryTimeoutMs: ANSWER_LIMIT_MS,
    });
    this.levels = new Reread(async () => options.onLevels(await readLevels(this.pool)), options.onError);
    this.listener = new Listener(
      options.directConnection ?? options.connection,
      'chronawflow level changes',
      CHANNEL,
      () => void this.levels.now(),
      options.onError,
    );
  }

  /** Resolves after the first try to read. */
  async start(): Promise<void> {
    this.poll = setInterval(() => void this.levels.now(), this.options.pollMs);
    this.poll.unref();
    void this.listener.open();
    await this.levels.now();
  }

  async report(report: ProcessReport): Promise<void> {
    await reportProcess(this.pool, report);
  }

  /** @param process taken out, so that nobody waits for it; where the database is away it is forgotten with time. */
  async close(process: string): Promise<void> {
    clearInterval(this.poll);
    await this.listener.close();
    await this.levels.idle();
    await forgetProcess(this.pool, process).catch(this.options.onError);
    await this.pool.end();
  }
}
