import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { JobsConfig } from '../../config';
import type { Job } from './define-job';
import type { StepLog } from './log';
import { sharesOf } from './shares';
import { type ClaimedJob, claimJobs } from './store/claim-jobs';
import { findOrphans } from './store/find-orphans';
import { removeExpired } from './store/remove-expired';
import type { JobRef } from './types';

export interface DispatcherOptions {
  readonly pool: Pool;
  readonly config: JobsConfig;
  readonly jobs: ReadonlyMap<string, Job>;
  readonly log: StepLog;
  /** Starts the job's workflow, or wakes it. What it throws is logged, and the job is handed over again later. */
  handOver(job: ClaimedJob): Promise<void>;
  /** Decides about a job whose attempt was lost and whose workflow does not do it. */
  settleLost(job: JobRef): Promise<unknown>;
}

/** Pause between two claims that find work: jobs that come meanwhile are claimed together. */
const BUSY_MS = 10;
/** Longest pause when nothing waits; a submission is found after half of it on average. */
const IDLE_MS = 100;
/** After a failed claim: the database is away. */
const FAILED_MS = 1_000;
const CLEAN_EVERY_MS = 15_000;
/** A workflow that lives has looked for its lost attempt by then: three times its heartbeat timeout. */
const ORPHANED_MS = 60_000;

/**
 * Hands jobs over to Temporal as permits get free. Every worker has one; they take turns by a lock in the database, so
 * that the queue goes on while any worker lives.
 */
export class Dispatcher {
  private readonly stopping = new AbortController();
  private wake = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly options: DispatcherOptions) {}

  start(): void {
    this.running ??= this.loop();
  }

  /** A permit was freed here: look now. */
  poke(): void {
    this.wake.abort();
  }

  /** Resolves when nothing is being handed over any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    let cleanedAt = Number.NEGATIVE_INFINITY;
    while (!this.stopping.signal.aborted) {
      const pause = await this.round();
      if (performance.now() - cleanedAt > CLEAN_EVERY_MS) {
        cleanedAt = performance.now();
        await this.clean();
      }
      await this.pause(pause);
    }
  }

  /** One claim. @returns how long to pause */
  private async round(): Promise<number> {
    const { pool, config, jobs, log } = this.options;
    try {
      const claimed = await claimJobs(pool, {
        handedLimit: config.handed,
        shares: (limits) => sharesOf(config, jobs, limits),
      });
      await Promise.all(claimed.map((job) => this.handOver(job)));
      return claimed.length > 0 ? BUSY_MS : IDLE_MS;
    } catch (error) {
      log.warn({ err: error }, 'jobs could not be claimed; trying again');
      return FAILED_MS;
    }
  }

  private async handOver(job: ClaimedJob): Promise<void> {
    try {
      await this.options.handOver(job);
    } catch (error) {
      const { tenant, type, key } = job;
      this.options.log.warn({ tenant, type, key, err: error }, 'a job could not be handed to Temporal yet');
    }
  }

  /** What nobody else would do: jobs of workflows that were terminated go on, finished ones end with their retention. */
  private async clean(): Promise<void> {
    const { pool, log, settleLost } = this.options;
    try {
      for (const job of await findOrphans(pool, ORPHANED_MS)) await settleLost(job);
      while ((await removeExpired(pool)) > 0) if (this.stopping.signal.aborted) return;
    } catch (error) {
      log.warn({ err: error }, 'the queue of jobs could not be cleaned; trying again');
    }
  }

  private async pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, this.wake.signal]);
    if (this.wake.signal.aborted) await this.settle();
    else
      await sleep(ms, undefined, { signal }).catch(() => {
        // Woken or told to stop: the loop looks.
      });
    this.wake = new AbortController();
  }

  /** Permits are freed in bunches; one claim takes what one bunch freed. */
  private async settle(): Promise<void> {
    await sleep(BUSY_MS, undefined, { signal: this.stopping.signal }).catch(() => {
      // Told to stop: the loop looks.
    });
  }
}
