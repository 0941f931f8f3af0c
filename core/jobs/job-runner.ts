import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Json } from '../idempotency';
import { disturbanceOf } from '../injection-points';
import type { ProtectedCalls } from '../protection';
import { TENANT_FROZEN } from './after-attempt.pure';
import { Batcher } from './batcher';
import type { Job, RunContext } from './define-job';
import { describeFailure } from './describe-failure';
import { JobFencedError } from './errors/job-fenced-error';
import { JobTimeoutError } from './errors/job-timeout-error';
import type { FailureWatch } from './failure-watch';
import type { JobMetrics } from './job-metrics';
import { LeaseKeeper } from './lease-keeper';
import type { StepLog } from './log';
import { OutsideCalls } from './outside-calls';
import { type Leave, RunGate } from './run-gate';
import { BatchRecords } from './store/batch-records';
import {
  type BeginAnswer,
  type BeginRequest,
  beginAttempts,
  markAlone,
  newAttempt,
} from './store/begin-attempts';
import { cancelAttempt, cancelWaiting } from './store/cancel-job';
import { type Completion, completeAttempts } from './store/complete-attempts';
import { failAttempt } from './store/fail-attempt';
import { findEnd } from './store/find-end';
import { noteOutside } from './store/note-outside';
import { onceInTransaction } from './store/once';
import { putBack } from './store/put-back';
import type { RetryRules } from './store/settle-failure';
import type { AttemptEnd, JobProgress, JobRef, RetryPolicy } from './types';

export interface RunnerOptions {
  /** Of the application's database, for the queue's own short statements. */
  readonly pool: Pool;
  /** The same database, for permits; its commits need not reach the disk (README.md, invariant 11). */
  readonly permits: Pool;
  /** The same database, for `once`: an attempt holds a connection for as long as its step takes. */
  readonly application: Pool;
  readonly jobs: ReadonlyMap<string, Job>;
  /** For `ctx.call`. */
  readonly calls: ProtectedCalls;
  readonly leaseMs: number;
  readonly retentionMs: number;
  readonly retriesPerMinute: number;
  /** Names this process among those that run jobs. */
  readonly process: string;
  /** Attempts in a row, lost while they ran alone, after which a job is held back. */
  readonly killsAlone: number;
  readonly log: StepLog;
  readonly metrics: JobMetrics;
  readonly failures: FailureWatch;
}

/** Why an attempt is stopped from outside. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** What it was, once the signal is aborted: somebody cancelled the job, or this worker stops. */
  reason(): 'cancelled' | 'shutdown';
}

/** Code that goes on this long after it was told to stop is left alone: its permit lapses, and it is fenced. */
export const STOP_GRACE_MS = 10_000;

/** A type without code here is looked for again after this time; another worker may have it. */
const NO_CODE_MS = 10_000;

/** What a type without code retries by, when a lost attempt of it is settled here. */
const UNKNOWN_RETRY: RetryPolicy = {
  maxAttempts: 5,
  initialMs: 1_000,
  factor: 2,
  maxMs: 300_000,
  nonRetryable: [],
};

/** Runs attempts of jobs in this process: permit, code, and what became of it (README.md, invariants 3, 4, 7, 12). */
export class JobRunner {
  private readonly leases: LeaseKeeper;
  private readonly begins: Batcher<BeginRequest, BeginAnswer>;
  private readonly completions: Batcher<Completion, boolean>;
  private readonly gate = new RunGate();

  constructor(private readonly options: RunnerOptions) {
    const { pool, permits, leaseMs, retentionMs, log } = options;
    this.leases = new LeaseKeeper(permits, leaseMs, log);
    this.begins = new Batcher((attempts) => beginAttempts(permits, attempts, leaseMs));
    this.completions = new Batcher((completions) => completeAttempts(pool, completions, retentionMs));
  }

  /**
   * One attempt, when it is the job's turn. What its code throws is dealt with.
   *
   * @param tell hears how far the attempt is
   * @throws JobNotFoundError; what the database throws
   */
  async run(
    ref: JobRef,
    interruption: Interruption,
    tell: (progress: JobProgress) => void = () => undefined,
  ): Promise<AttemptEnd> {
    const attempt = newAttempt(ref, this.options.process);
    const leave = await this.gate.enter(interruption.signal).catch(() => undefined);
    if (leave === undefined) return this.findEnd(ref);
    const since = performance.now();
    let begun: BeginAnswer;
    try {
      begun = await this.begins.do(attempt);
    } catch (error) {
      leave();
      throw error;
    }
    const job = this.options.jobs.get(ref.type);
    if (begun.kind !== 'begun' || job === undefined) {
      leave();
      if (begun.kind === 'begun') await putBack(this.options.pool, attempt, 'code', NO_CODE_MS);
      return this.findEnd(ref);
    }
    const permit = this.leases.hold(attempt, since);
    const timeout = new AbortController();
    const stop = AbortSignal.any([interruption.signal, permit.lost, timeout.signal]);
    const about = { interruption, permit: permit.lost, timeout: timeout.signal, job };
    const progress = (now: JobProgress) => {
      permit.progress(now);
      tell(now);
    };
    try {
      const inside = begun.suspect ? await this.alone(attempt, leave, stop) : leave;
      const outcome: Outcome =
        inside === undefined
          ? { kind: 'threw', error: stop.aborted ? stop.reason : new JobFencedError(attempt) }
          : await this.work(attempt, begun, { job, stop, timeout, leave: inside, progress });
      const end = await this.conclude(attempt, outcome, about);
      this.options.metrics.ended(ref, end);
      return end;
    } finally {
      permit.letGo();
    }
  }

  /** Waits until nothing else runs here. @returns undefined when the attempt was stopped first, or lost its permit */
  private async alone(attempt: BeginRequest, leave: Leave, stop: AbortSignal): Promise<Leave | undefined> {
    leave();
    const inside = await this.gate.enterAlone(stop).catch(() => undefined);
    if (inside === undefined) return undefined;
    let held = false;
    try {
      held = await markAlone(this.options.permits, attempt);
    } finally {
      if (!held) inside();
    }
    return held ? inside : undefined;
  }

  private async work(
    attempt: BeginRequest,
    begun: Extract<BeginAnswer, { kind: 'begun' }>,
    { job, stop, timeout, leave, progress }: Work,
  ): Promise<Outcome> {
    const { timeoutMs } = job.policy;
    const timer = setTimeout(() => timeout.abort(new JobTimeoutError(attempt, timeoutMs)), timeoutMs);
    const watch = new AbortController();
    try {
      const outside = new OutsideCalls((names) => noteOutside(this.options.pool, attempt, names));
      const run = () =>
        job.run(this.contextOf(attempt, begun.attempt, { stop, outside, progress }), begun.input);
      const disturbance = disturbanceOf(attempt.type, 'run', attempt.tenant, stop);
      const running = disturbance === undefined ? run() : disturbance.then(run);
      const work = settled(running.then((result) => outside.settled().then(() => result)));
      // Code that ignores its signal is still there, and no company for one that has to be alone.
      void work.then(leave);
      return await Promise.race([work, ignored(stop, watch.signal)]);
    } finally {
      clearTimeout(timer);
      watch.abort();
    }
  }

  /** What became of a job whose attempt did not tell. @throws what the database throws */
  findEnd(ref: JobRef): Promise<AttemptEnd> {
    return findEnd(this.options.pool, ref, this.rulesOf(this.options.jobs.get(ref.type)));
  }

  /** Ends a job that was cancelled, unless an attempt still runs it. */
  async cancel(ref: JobRef): Promise<AttemptEnd> {
    const { pool, retentionMs } = this.options;
    if (await cancelWaiting(pool, ref, retentionMs)) return { kind: 'cancelled' };
    const end = await this.findEnd(ref);
    return end.kind === 'waiting' ? this.cancel(ref) : end;
  }

  close(): void {
    this.leases.close();
  }

  private async conclude(attempt: BeginRequest, outcome: Outcome, about: Circumstances): Promise<AttemptEnd> {
    const { pool, retentionMs, log } = this.options;
    if (outcome.kind === 'ignored') {
      log.warn({ ...facts(attempt) }, 'a job’s code ignores its signal; its permit is left to lapse');
      return this.findEnd(attempt);
    }
    if (outcome.kind === 'returned') {
      const held = await this.completions.do({ ...attempt, result: outcome.result });
      if (!held) return this.findEnd(attempt);
      this.options.failures.ended(attempt, true);
      return { kind: 'done' };
    }
    if (about.permit.aborted || outcome.error instanceof JobFencedError) return this.findEnd(attempt);
    if (about.interruption.signal.aborted) {
      if (about.interruption.reason() === 'cancelled') {
        const held = await cancelAttempt(pool, attempt, retentionMs);
        return held ? { kind: 'cancelled' } : this.findEnd(attempt);
      }
      await putBack(pool, attempt, undefined, 0);
      return this.findEnd(attempt);
    }
    const thrown = about.timeout.aborted ? about.timeout.reason : outcome.error;
    log.warn({ ...facts(attempt), err: thrown }, 'a job’s attempt failed');
    const failure = describeFailure(thrown);
    if (failure.code !== TENANT_FROZEN) this.options.failures.ended(attempt, false);
    const end = await failAttempt(pool, attempt, failure, this.rulesOf(about.job));
    return end ?? this.findEnd(attempt);
  }

  private contextOf(
    attempt: BeginRequest,
    number: number,
    { stop: signal, outside, progress }: Pick<Work, 'stop' | 'progress'> & { readonly outside: OutsideCalls },
  ): RunContext {
    const { tenant, type, key } = attempt;
    const { application, leaseMs, calls } = this.options;
    const records = new BatchRecords(application, attempt, leaseMs);
    return {
      tenant,
      type,
      key,
      attempt: number,
      signal,
      progress: (done, total) => progress(total === undefined ? { done } : { done, total }),
      idempotencyKey: (step) => {
        void outside.announce(step);
        return createHash('sha256')
          .update(JSON.stringify([tenant, type, key, step]))
          .digest('hex')
          .slice(0, 32);
      },
      call: async (target, call) => {
        await outside.announce([target.service, target.operation].filter(Boolean).join('/'));
        return calls.call({ ...target, tenant }, call, signal);
      },
      once: (step, work) => onceInTransaction(application, attempt, step, work, leaseMs),
      onceForEach: (steps, work) => records.onceForEach(steps, work),
      splitOff: (steps, part) => records.splitOff(steps, part),
    };
  }

  private rulesOf(job: Job | undefined): RetryRules {
    return {
      retry: job?.policy.retry ?? UNKNOWN_RETRY,
      retriesPerMinute: this.options.retriesPerMinute,
      process: this.options.process,
      killsAlone: this.options.killsAlone,
    };
  }
}

type Outcome =
  | { readonly kind: 'returned'; readonly result: Json }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** Told to stop, it went on. */
  | { readonly kind: 'ignored' };

interface Work {
  readonly job: Job;
  readonly stop: AbortSignal;
  readonly timeout: AbortController;
  readonly leave: Leave;
  progress(progress: JobProgress): void;
}

interface Circumstances {
  readonly interruption: Interruption;
  readonly permit: AbortSignal;
  readonly timeout: AbortSignal;
  readonly job: Job;
}

function settled(work: Promise<Json>): Promise<Outcome> {
  return work.then(
    (result) => ({ kind: 'returned', result }),
    (error: unknown) => ({ kind: 'threw', error }),
  );
}

/** Resolves when `stop` has been aborted for the grace; never when `done` comes first. */
async function ignored(stop: AbortSignal, done: AbortSignal): Promise<Outcome> {
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true, signal: done });
  });
  await sleep(STOP_GRACE_MS, undefined, { signal: done, ref: false }).catch(() => new Promise(() => {}));
  return { kind: 'ignored' };
}

function facts({ tenant, type, key }: JobRef) {
  return { tenant, type, key };
}
