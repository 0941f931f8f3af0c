import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { JobsConfig } from '../../config';
import type { Json } from '../idempotency';
import { canonicalJson } from '../idempotency';
import { TENANT_FROZEN } from './after-attempt.pure';
import type { Job } from './define-job';
import { describeFailure } from './describe-failure';
import { JobFencedError } from './errors/job-fenced-error';
import { FailureWatch } from './failure-watch';
import { type HeldPermit, LeaseKeeper } from './lease-keeper';
import type { StepLog } from './log';
import { sharesOf } from './shares';
import { type BeginRequest, beginAttempts, newAttempt } from './store/begin-attempts';
import { claimJobs } from './store/claim-jobs';
import { completeAttempts } from './store/complete-attempts';
import { failAttempt } from './store/fail-attempt';
import { onceInTransaction } from './store/once';
import { putBack } from './store/put-back';
import type { AttemptEnd, JobRef } from './types';

export interface ConsumerOptions {
  /** Of the application's database. */
  readonly pool: Pool;
  readonly config: JobsConfig;
  /** Policies of the types it takes: retries, caps. Their `run` is not used. */
  readonly jobs: ReadonlyMap<string, Job>;
  readonly log: StepLog;
}

/** A job that a consumer outside Temporal has taken. It has to be acknowledged, failed or returned. */
export interface LeasedJob extends JobRef {
  readonly input: Json;
  /** From 1. */
  readonly attempt: number;
  /** Aborted when the lease was lost: another consumer may have the job. */
  readonly lost: AbortSignal;
  /** Effects and record in one transaction, as in `ctx.once`. @throws JobFencedError */
  once<T>(step: string, work: (tx: PoolClient) => Promise<T>): Promise<T>;
  /** Done. @throws JobFencedError */
  acknowledge(result?: unknown): Promise<void>;
  /** Failed: it waits for its retry, or is a dead letter. @throws JobFencedError */
  fail(error: unknown): Promise<AttemptEnd>;
  /** Back into the queue without counting the attempt. @throws JobFencedError */
  giveBack(): Promise<void>;
}

/**
 * Takes jobs for a process that is no Temporal worker, under the same caps, shares and dead letters. Jobs of types that
 * Temporal's workers have code for are theirs as well: give a consumer's types to no worker.
 */
export class JobConsumer {
  private readonly leases: LeaseKeeper;
  private readonly held = new Set<LeasedJob>();
  private readonly process = randomUUID();
  private readonly failures: FailureWatch;

  constructor(private readonly options: ConsumerOptions) {
    const { pool, jobs, log, config } = options;
    this.failures = new FailureWatch({ pool, jobs, rules: config.quarantine, log });
    this.leases = new LeaseKeeper(options.pool, options.config.lease, options.log);
  }

  /** The next jobs that may run now, at most `atMost`; none when nothing may. */
  async dequeue(atMost = 1): Promise<LeasedJob[]> {
    const { pool, config, jobs } = this.options;
    await this.failures.roundWhenDue();
    const claimed = await claimJobs(pool, {
      handedLimit: config.handed,
      take: { atMost, types: [...jobs.keys()], idle: this.held.size === 0 },
      shares: (limits) => sharesOf(config, jobs, limits),
    });
    if (claimed.length === 0) return [];
    const since = performance.now();
    const attempts = claimed.map((job) => newAttempt(job, this.process));
    const answers = await beginAttempts(pool, attempts, config.lease);
    return attempts.flatMap((attempt, index) => {
      const answer = answers[index];
      if (answer?.kind !== 'begun') return [];
      return [this.lease(attempt, answer.attempt, answer.input, this.leases.hold(attempt, since))];
    });
  }

  /** Gives back what was taken and not ended. */
  async close(): Promise<void> {
    for (const job of this.held) {
      // Whose lease was lost has nothing to give back.
      await job.giveBack().catch((error: unknown) => {
        if (!(error instanceof JobFencedError)) throw error;
      });
    }
    this.leases.close();
    await this.failures.round();
  }

  private lease(attempt: BeginRequest, number: number, input: Json, permit: HeldPermit): LeasedJob {
    const { pool, config, jobs } = this.options;
    const end = async <T>(held: Promise<T | undefined | false>): Promise<T> => {
      const answer = await held;
      permit.letGo();
      this.held.delete(job);
      if (answer === undefined || answer === false) throw new JobFencedError(attempt);
      return answer;
    };
    const job: LeasedJob = {
      tenant: attempt.tenant,
      type: attempt.type,
      key: attempt.key,
      input,
      attempt: number,
      lost: permit.lost,
      once: (step, work) => onceInTransaction(pool, attempt, step, work, config.lease),
      acknowledge: async (result) => {
        const value: Json = JSON.parse(canonicalJson(result ?? null));
        const [held] = await end(completeAttempts(pool, [{ ...attempt, result: value }], config.retention));
        if (!held) throw new JobFencedError(attempt);
        this.failures.ended(attempt, true);
      },
      fail: async (error) => {
        const retry = jobs.get(attempt.type)?.policy.retry;
        if (retry === undefined) throw new RangeError(`${attempt.type} is not one of this consumer's types`);
        const rules = {
          retry,
          retriesPerMinute: config.retriesPerMinute,
          process: this.process,
          killsAlone: config.quarantine.kills,
        };
        const failure = describeFailure(error);
        const ended = await end(failAttempt(pool, attempt, failure, rules));
        if (failure.code !== TENANT_FROZEN) this.failures.ended(attempt, false);
        return ended;
      },
      giveBack: async () => {
        await end(putBack(pool, attempt, undefined, 0));
      },
    };
    this.held.add(job);
    return job;
  }
}
