import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { JobsConfig } from '../../config';
import type { Job } from './define-job';
import type { FailureWatch } from './failure-watch';
import type { JobMetrics } from './job-metrics';
import type { StepLog } from './log';
import { sharesOf } from './shares';
import { type ClaimedJob, type ClaimRequest, claimJobs } from './store/claim-jobs';
import { removeWindows } from './store/dedupe-window';
import { findOrphans } from './store/find-orphans';
import { readDepths } from './store/look';
import { removeExpired } from './store/remove-expired';
import { forgetWorker, registerWorker, WORKER_SEEN_MS } from './store/worker-registry';
import type { JobPriority, JobRef } from './types';

export interface DispatcherOptions {
  /** Names this process among those that run jobs. */
  readonly process: string;
  readonly pool: Pool;
  /** The same database, for claims; its commits need not reach the disk (README.md, invariant 11). */
  readonly permits: Pool;
  readonly config: JobsConfig;
  readonly jobs: ReadonlyMap<string, Job>;
  readonly log: StepLog;
  readonly metrics: JobMetrics;
  readonly failures: FailureWatch;
  /** Priorities whose jobs wait for now, unless their type is core; default none. */
  readonly heldPriorities?: () => readonly number[];
  /** Whether nothing may be written now: then all jobs wait, those of core types as well; default no. */
  readonly writesRefused?: () => boolean;
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
/** Tenants and types whose depths are read; the deepest come first. */
const DEPTHS = 5_000;
const REGISTER_EVERY_MS = WORKER_SEEN_MS / 4;
/** A workflow that lives has looked for its lost attempt by then: six times its heartbeat timeout. */
const ORPHANED_MS = 60_000;

const ALL_PRIORITIES: readonly JobPriority[] = [1, 2, 3, 4, 5];

/**
 * Hands jobs over to Temporal as permits get free. Every worker has one; they take turns by a lock in the database, so
 * that the queue goes on while any worker lives.
 */
export class Dispatcher {
  private readonly stopping = new AbortController();
  private wake = new AbortController();
  private readonly handing = new Set<Promise<void>>();
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
    if (this.running === undefined) return;
    await this.running;
    await Promise.all(this.handing);
    // Its slots would count for some seconds more; a database that is away cannot be told, nor asked.
    await forgetWorker(this.options.permits, this.options.process).catch((error: unknown) => {
      this.options.log.warn({ err: error }, 'this worker could not be taken out');
    });
    this.running = undefined;
  }

  private async loop(): Promise<void> {
    let cleanedAt = Number.NEGATIVE_INFINITY;
    let registeredAt = Number.NEGATIVE_INFINITY;
    while (!this.stopping.signal.aborted) {
      if (performance.now() - registeredAt > REGISTER_EVERY_MS && (await this.register()))
        registeredAt = performance.now();
      const pause = await this.round();
      if (performance.now() - cleanedAt > CLEAN_EVERY_MS) {
        cleanedAt = performance.now();
        await this.clean();
      }
      await this.options.failures.roundWhenDue();
      await this.pause(pause);
    }
  }

  /** @returns whether the database heard it */
  private async register(): Promise<boolean> {
    const { permits, config, jobs, log, process } = this.options;
    try {
      await registerWorker(permits, { id: process, slots: config.slots, types: [...jobs.keys()] });
      return true;
    } catch (error) {
      log.warn({ err: error }, 'this worker could not be registered for jobs; trying again');
      return false;
    }
  }

  /** One claim. @returns how long to pause */
  private async round(): Promise<number> {
    const { permits, config, jobs, log } = this.options;
    try {
      const claimed = await claimJobs(permits, {
        handedLimit: config.handed,
        shares: (limits) => sharesOf(config, jobs, limits),
        held: this.held(),
      });
      // Not waited for: one slow start would keep the next claim back. Their number is bounded by what may be handed.
      for (const job of claimed) this.begin(job);
      return claimed.length > 0 ? BUSY_MS : IDLE_MS;
    } catch (error) {
      log.warn({ err: error }, 'jobs could not be claimed; trying again');
      return FAILED_MS;
    }
  }

  private held(): ClaimRequest['held'] {
    const { jobs, heldPriorities, writesRefused } = this.options;
    if (writesRefused?.() === true) return { priorities: ALL_PRIORITIES, except: [] };
    return {
      priorities: heldPriorities?.() ?? [],
      except: [...jobs.values()].flatMap(({ type, policy }) => (policy.core ? [type] : [])),
    };
  }

  private begin(job: ClaimedJob): void {
    const handing = this.handOver(job).finally(() => this.handing.delete(handing));
    this.handing.add(handing);
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
    const { pool, log, metrics, settleLost } = this.options;
    try {
      metrics.read(await readDepths(pool, DEPTHS));
      for (const job of await findOrphans(pool, ORPHANED_MS)) await settleLost(job);
      while ((await removeExpired(pool)) > 0) if (this.stopping.signal.aborted) return;
      while ((await removeWindows(pool)) > 0) if (this.stopping.signal.aborted) return;
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
