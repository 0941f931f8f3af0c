import type { Pool, PoolClient } from 'pg';
import type { JobsConfig, TenancyConfig } from '../../config';
import { type OutboxEvent, writeOutbox } from '../audit';
import { ChronawflowError } from '../errors';
import { IdempotencyKeyReusedError, type Json } from '../idempotency';
import { Batcher } from './batcher';
import { type Sent, sendDeduped } from './dedupe';
import type { Job } from './define-job';
import { BacklogFullError } from './errors/backlog-full-error';
import { JobCancelledError } from './errors/job-cancelled-error';
import { JobDeadError } from './errors/job-dead-error';
import { JobExistsError } from './errors/job-exists-error';
import { JobNotFoundError } from './errors/job-not-found-error';
import { UnknownJobTenantError } from './errors/unknown-job-tenant-error';
import { jobEvent } from './job-event';
import { type PreparedJob, prepareSubmission, type SubmitRequest } from './prepare-submission';
import { ResultWatcher } from './result-watcher';
import { cancelWaiting } from './store/cancel-job';
import { readLimits } from './store/limits';
import { readJobs } from './store/look';
import { shedJobs } from './store/shed-jobs';
import { type Submission, type SubmitOutcome, submitJobs } from './store/submit-jobs';
import { TenantDirectory } from './tenant-directory';
import type { JobRef, JobStatus } from './types';

export interface JobQueueOptions {
  /** Of the application's database. */
  readonly pool: Pool;
  readonly config: JobsConfig;
  readonly tenancy: TenancyConfig;
  readonly jobs: ReadonlyMap<string, Job>;
  /** Who submits, for the audit log; default `application`. */
  readonly actor?: string;
}

/** What became of one item of submitMany. */
export type ItemOutcome = JobRef &
  (
    | {
        readonly outcome: 'submitted' | 'known';
        /** The job that stands for this input, where that is another one: `dedupe: { within }`. */
        readonly sameAs?: JobRef;
      }
    | { readonly outcome: 'refused'; readonly error: ChronawflowError }
  );

export interface SubmitOptions {
  /** The caller's own transaction on the application's database: the job is there if and when it commits. */
  readonly tx?: PoolClient;
}

/** What became of a submission, and of which job it is one. */
export interface Added {
  readonly ref: JobRef;
  readonly outcome: 'submitted' | 'known';
}

type Checked = { readonly submission: PreparedJob } | { readonly error: ChronawflowError };

/** Items of submitMany that are sent in one statement. */
const CHUNK = 500;

/** Limits that a person changes count for submissions after this long. */
const LIMITS_BELIEVED_MS = 1_000;

/** PostgreSQL's largest integer. */
const NO_LIMIT = 2_147_483_647;

/** A backlog over its limit is looked at again after about this long. */
const RETRY_AFTER_MS = 5_000;

/** The submitter's side of the queue. It needs the application's database and nothing else. */
export class JobQueue {
  private readonly tenants: TenantDirectory;
  private readonly watcher: ResultWatcher;
  private readonly submissions: Batcher<PreparedJob, Sent>;
  private backlogs: { readonly until: number; readonly of: (tenant: string) => number } | undefined;

  constructor(private readonly options: JobQueueOptions) {
    this.tenants = new TenantDirectory(options.pool, options.tenancy);
    this.watcher = new ResultWatcher(options.pool);
    this.submissions = new Batcher((jobs) => this.send(jobs, options.pool));
  }

  /**
   * Adds a job, or finds the one with this key and input.
   *
   * @throws InvalidInputError, UnknownJobTypeError, InputTooLargeError, UnknownJobTenantError (UNKNOWN_TENANT),
   *   IdempotencyKeyReusedError, BacklogFullError (`retryAfterMs`), JobExistsError; what the database throws
   */
  async submit(request: SubmitRequest, options: SubmitOptions = {}): Promise<'submitted' | 'known'> {
    return (await this.add(request, options)).outcome;
  }

  /** As `submit`, and says which job it is: with `dedupe: { within }` it may have another key. */
  async add(request: SubmitRequest, { tx }: SubmitOptions = {}): Promise<Added> {
    const submission = prepareSubmission(this.options.jobs, request, this.options.config.maxInput);
    const { key, outcome } = await (tx === undefined
      ? this.submissions.do(submission)
      : this.addIn(tx, submission));
    const ref = { tenant: submission.tenant, type: submission.type, key };
    const error = await this.refusalOf(ref, outcome);
    if (error !== undefined) throw error;
    return { ref, outcome: outcome === 'known' ? 'known' : 'submitted' };
  }

  /**
   * Whether a job like this could be submitted now; nothing is.
   *
   * @returns its input as it would be stored
   * @throws InvalidInputError, UnknownJobTypeError, InputTooLargeError, UnknownJobTenantError (UNKNOWN_TENANT)
   */
  async verify(request: SubmitRequest): Promise<Json> {
    const { tenant, input } = prepareSubmission(this.options.jobs, request, this.options.config.maxInput);
    const missing = await this.tenants.missing([tenant]);
    if (missing.size > 0) throw new UnknownJobTenantError(tenant, this.options.tenancy.table);
    return input;
  }

  /**
   * Adds many jobs, streaming: items are taken as they come, an outcome is given for each in its order, and one that is
   * refused keeps no other one out. What the database throws ends the stream; items without an outcome may be repeated.
   */
  async *submitMany(
    requests: Iterable<SubmitRequest> | AsyncIterable<SubmitRequest>,
  ): AsyncGenerator<ItemOutcome, void, undefined> {
    let chunk: SubmitRequest[] = [];
    for await (const request of requests) {
      chunk.push(request);
      if (chunk.length === CHUNK) {
        yield* await this.submitChunk(chunk);
        chunk = [];
      }
    }
    if (chunk.length > 0) yield* await this.submitChunk(chunk);
  }

  /** @throws JobNotFoundError */
  async status(ref: JobRef): Promise<JobStatus> {
    const [status] = await readJobs(this.options.pool, [ref]);
    if (status === undefined) throw new JobNotFoundError(ref);
    return status;
  }

  /** Waits for the job's end. @throws JobDeadError, JobCancelledError, JobNotFoundError */
  async result(ref: JobRef): Promise<Json> {
    const end = await this.watcher.ended(ref);
    switch (end.kind) {
      case 'done':
        return end.result;
      case 'dead':
        throw new JobDeadError(ref, end.attempts, end.last);
      case 'cancelled':
        throw new JobCancelledError(ref);
      case 'absent':
        throw new JobNotFoundError(ref);
    }
  }

  /** Ends a job that no attempt runs. @returns whether it did */
  cancelWaiting(ref: JobRef): Promise<boolean> {
    return cancelWaiting(this.options.pool, ref, this.options.config.retention);
  }

  private async submitChunk(requests: readonly SubmitRequest[]): Promise<ItemOutcome[]> {
    const checked = requests.map((request) => this.check(request));
    const good = checked.flatMap((item) => ('submission' in item ? [item.submission] : []));
    const sent = good.length === 0 ? [] : await this.send(good, this.options.pool);
    const answers = sent.values();
    return Promise.all(
      requests.map(async ({ tenant, type, key }, index): Promise<ItemOutcome> => {
        const ref = { tenant, type, key };
        const item = checked[index];
        if (item !== undefined && 'error' in item) return { ...ref, outcome: 'refused', error: item.error };
        const { key: found, outcome }: Sent = answers.next().value ?? { key, outcome: 'known' };
        const same = { tenant, type, key: found };
        const error = await this.refusalOf(same, outcome);
        if (error !== undefined) return { ...ref, outcome: 'refused', error };
        return {
          ...ref,
          outcome: outcome === 'known' ? 'known' : 'submitted',
          ...(found === key ? {} : { sameAs: same }),
        };
      }),
    );
  }

  private check(request: SubmitRequest): Checked {
    try {
      return { submission: prepareSubmission(this.options.jobs, request, this.options.config.maxInput) };
    } catch (error) {
      if (error instanceof ChronawflowError) return { error };
      throw error;
    }
  }

  private async addIn(tx: PoolClient, job: PreparedJob): Promise<Sent> {
    const [sent] = await this.send([job], tx);
    return sent ?? { key: job.key, outcome: 'known' };
  }

  private send(jobs: readonly PreparedJob[], db: Pool | PoolClient): Promise<Sent[]> {
    return sendDeduped(db, jobs, (placed) => this.insert(placed, db));
  }

  private async insert(
    jobs: readonly PreparedJob[],
    db: Pool | PoolClient,
  ): Promise<(SubmitOutcome | 'no-tenant')[]> {
    const missing = await this.tenants.missing(jobs.map((job) => job.tenant));
    const backlogOf = await this.backlogOf();
    const there = jobs
      .filter((job) => !missing.has(job.tenant))
      .map((job) => ({ ...job, backlog: backlogOf(job.tenant) }));
    const sent = there.length === 0 ? [] : await submitJobs(db, there);
    const outcomes = await this.overflow(there, sent, db);
    await writeOutbox(db, this.eventsOf(there, outcomes));
    const answers = outcomes.values();
    return jobs.map((job) => (missing.has(job.tenant) ? 'no-tenant' : (answers.next().value ?? 'known')));
  }

  /** A job that came again, and a key that came with another input, are told to the audit log. */
  private eventsOf(jobs: readonly PreparedJob[], outcomes: readonly SubmitOutcome[]): OutboxEvent[] {
    const actor = this.options.actor ?? 'application';
    return jobs.flatMap((job, index) => {
      if (outcomes[index] === 'known') return [{ ...jobEvent('job.replayed', job, actor), ...job.askedBy }];
      if (outcomes[index] === 'reused')
        return [{ ...jobEvent('job.rejected', job, actor, {}, 'IDEMPOTENCY_KEY_REUSED'), ...job.askedBy }];
      return [];
    });
  }

  /** What becomes of jobs that found their tenant's backlog full: `jobs.overflow`. */
  private async overflow(
    jobs: readonly Submission[],
    outcomes: readonly SubmitOutcome[],
    db: Pool | PoolClient,
  ): Promise<readonly SubmitOutcome[]> {
    const { config } = this.options;
    if (config.overflow === 'reject' || !outcomes.includes('backlog-full')) return outcomes;
    const taken = new Map<number, Submission>();
    for (const [index, job] of jobs.entries()) {
      if (outcomes[index] !== 'backlog-full') continue;
      if (config.overflow === 'defer' || (await this.shed(job, db)))
        taken.set(index, { ...job, backlog: NO_LIMIT });
    }
    const late = (await submitJobs(db, [...taken.values()])).values();
    return outcomes.map((outcome, index) => (taken.has(index) ? (late.next().value ?? outcome) : outcome));
  }

  /** @returns whether a less urgent job made room */
  private async shed({ tenant, priority }: Submission, db: Pool | PoolClient): Promise<boolean> {
    const core = [...this.options.jobs.values()].filter((job) => job.policy.core).map((job) => job.type);
    const gone = await shedJobs(db, { tenant, count: 1, lessUrgentThan: priority, core });
    return gone.length > 0;
  }

  private async refusalOf(ref: JobRef, outcome: Sent['outcome']): Promise<ChronawflowError | undefined> {
    switch (outcome) {
      case 'submitted':
      case 'known':
        return undefined;
      case 'exists':
        return new JobExistsError(ref);
      case 'no-tenant':
        return new UnknownJobTenantError(ref.tenant, this.options.tenancy.table);
      case 'reused':
        return new IdempotencyKeyReusedError({ tenant: ref.tenant, scope: ref.type, key: ref.key });
      case 'backlog-full':
        return new BacklogFullError(ref.tenant, (await this.backlogOf())(ref.tenant), RETRY_AFTER_MS);
    }
  }

  private async backlogOf(): Promise<(tenant: string) => number> {
    const now = performance.now();
    if (this.backlogs === undefined || this.backlogs.until < now) {
      const limits = await readLimits(this.options.pool);
      const set = new Map(
        limits.flatMap((limit) =>
          limit.type === '' && limit.backlog !== null ? [[limit.tenant, limit.backlog] as const] : [],
        ),
      );
      const usual = this.options.config.tenantBacklog;
      this.backlogs = {
        until: now + LIMITS_BELIEVED_MS,
        of: (tenant) => set.get(tenant) ?? set.get('') ?? usual,
      };
    }
    return this.backlogs.of;
  }
}
