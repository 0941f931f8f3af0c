import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../../database';
import type { LogSigner } from './log-signer';
import { openPlatformLog, type SealedBatch, sealBatch } from './seal-batch';

export interface SealerOptions {
  /** How long it rests when nothing more is to be sealed: an event waits for that and a batch at most. Default 200 ms. */
  readonly restMs?: number;
  /** How often a sealer that stands by asks whether it is its turn. Default 1 s. */
  readonly standByMs?: number;
  readonly onBatch?: (batch: SealedBatch) => void;
  readonly onError?: (error: unknown) => void;
}

/** Longest pause between two tries while the database is away. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * Seals events until it is told to stop. Of several sealers one is active; the others stand by and take over when its
 * connection ends. What is sealed hangs on no lock: two at work would take turns (take-events.ts).
 */
export class Sealer {
  private readonly ended = new AbortController();

  constructor(
    private readonly pool: Pool,
    private readonly signer: LogSigner,
    private readonly options: SealerOptions = {},
  ) {}

  /** Resolves after `stop()`, when the batch under way is sealed. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.ended.signal.aborted) {
      try {
        await this.whileActive();
        failures = 0;
      } catch (error) {
        this.options.onError?.(error);
        failures += 1;
        await this.pause(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** failures));
      }
    }
  }

  stop(): void {
    this.ended.abort();
  }

  /** One turn as the active sealer, from the lock to its end; returns at once when another one is active. */
  private async whileActive(): Promise<void> {
    const holder = await this.pool.connect();
    let lost: Error | undefined;
    const onError = (error: Error) => {
      lost = error;
    };
    holder.on('error', onError);
    try {
      if (!(await tryLock(holder))) {
        await this.pause(this.options.standByMs ?? 1_000);
        return;
      }
      await inTransaction(this.pool, (tx) => openPlatformLog(tx, this.signer));
      while (!this.ended.signal.aborted && lost === undefined) {
        const batch = await sealBatch(this.pool, this.signer);
        this.options.onBatch?.(batch);
        // Not a checkpoint for each event: what comes meanwhile goes into the next batch.
        if (!batch.more) await this.pause(this.options.restMs ?? 200);
      }
      if (lost !== undefined) throw lost;
    } finally {
      holder.off('error', onError);
      // Not given back to the pool: the lock ends with the connection.
      holder.release(true);
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.ended.signal }).catch(() => undefined);
  }
}

async function tryLock(holder: PoolClient): Promise<boolean> {
  const { rows } = await holder.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    ADVISORY_LOCKS.auditSealer,
  ]);
  return rows[0]?.locked ?? false;
}
