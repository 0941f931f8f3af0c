import type { Pool } from 'pg';
import type { Config } from '../config';
import { forwardOutbox, type ReadAudit } from '../core/audit';
import { fingerprint } from '../core/idempotency';
import {
  type Boundary,
  type DeadFilter,
  type DeadLetter,
  discard,
  EffectsUndoneError,
  type Hold,
  type HoldBoundary,
  type ItemOutcome,
  type Job,
  type JobFilter,
  JobQueue,
  type JobRef,
  type JobStatus,
  jobsByType,
  type Limit,
  listJobs,
  loadJobs,
  type QueueDepth,
  readDeadLetters,
  readDepths,
  readLettersOf,
  readSteps,
  redrive,
  type SubmitOptions,
  type SubmitRequest,
  setLimit,
  UnknownJobTypeError,
} from '../core/jobs';
import { ScheduleRecord } from '../core/payload-codec';
import { type DeferRequest, deferJob } from './deferred-jobs';
import { JobHandle } from './job-handle';
import { JobHolds, type ReleaseOptions } from './job-holds';
import { type JobScheduleRequest, JobSchedules } from './job-schedules';
import { type Actor, currentOperator } from './operator';
import type { OperatorSigning } from './operator-signing';
import type { TemporalLink } from './temporal-link';
import { UndoneEffectsClient } from './undone-effects';

export interface RedriveOptions extends Actor {
  /** Replaces the job's input, as an act of an operator that stands in the audit log. */
  readonly input?: unknown;
}

export interface RedriveManyOptions extends Actor {
  /** Most jobs to redrive; default 1,000. */
  readonly limit?: number;
  /** Jobs that may begin per second; default all at once. */
  readonly perSecond?: number;
}

/** Everything about one job. */
export interface JobView {
  readonly status: JobStatus;
  readonly workflowId: string;
  readonly webUrl?: string;
  /** Steps that `ctx.once` completed: they stay completed when the job runs again. */
  readonly steps: readonly { readonly step: string; readonly at: string }[];
  readonly letters: readonly DeadLetter[];
}

/** What the capability `jobs` offers to a program. */
export class JobsClient {
  /** Effects that restores took back. */
  readonly undone: UndoneEffectsClient;
  private readonly held: JobHolds;
  private loading: Promise<{ readonly queue: JobQueue; readonly jobs: ReadonlyMap<string, Job> }> | undefined;

  constructor(
    private readonly config: Config,
    private readonly link: TemporalLink,
    private readonly platform: Pool,
    private readonly application: Pool,
    private readonly given: readonly Job[],
    private readonly signing: OperatorSigning,
    private readonly reads: ReadAudit,
  ) {
    this.held = new JobHolds(
      application,
      signing,
      async () => (await this.load()).jobs,
      () => this.tellAudit(),
    );
    this.undone = new UndoneEffectsClient(config.jobs, platform, application, signing);
  }

  /**
   * Submits a job. The same key with the same input is the same job: its first run's result. With `tx` it is submitted by the
   * caller's own transaction. Temporal is not asked: it may be away.
   *
   * @throws InvalidInputError, UnknownJobTypeError, InputTooLargeError, UnknownJobTenantError (UNKNOWN_TENANT),
   *   IdempotencyKeyReusedError, BacklogFullError (`retryAfterMs`), JobExistsError (`dedupe: 'reject'`)
   */
  async submit(request: SubmitRequest, options: SubmitOptions = {}): Promise<JobHandle> {
    const { ref } = await (await this.queue()).add(request, options);
    return this.handle(ref);
  }

  /**
   * Takes a job while the application's database refuses writes: Temporal keeps it until the database takes it, and it is the same
   * job as one that is submitted with this key. For `queueWrite` of the load-shedding hooks.
   *
   * @throws as `submit`, and TemporalUnavailableError
   */
  async defer(request: DeferRequest): Promise<JobHandle> {
    await deferJob(this.link, await this.queue(), request);
    return this.handle(request);
  }

  /** Submits as the items come; an outcome for each, in their order. One that is refused keeps no other out. */
  async *submitMany(
    requests: Iterable<SubmitRequest> | AsyncIterable<SubmitRequest>,
  ): AsyncGenerator<ItemOutcome, void, undefined> {
    yield* (await this.queue()).submitMany(requests);
  }

  /** The handle of a job that somebody submitted; asks nothing yet. */
  handle({ tenant, type, key }: JobRef): JobHandle {
    return new JobHandle({ tenant, type, key }, () => this.queue(), this.link);
  }

  /** Regular jobs of single tenants. */
  get schedules(): JobSchedules {
    const record = this.config.payloads && new ScheduleRecord(this.platform);
    return new JobSchedules(this.link, () => this.queue(), record);
  }

  /** Creates or changes a tenant's schedule: `schedules.set`. */
  schedule(request: JobScheduleRequest): Promise<void> {
    return this.schedules.set(request);
  }

  /** The newest jobs first. */
  list(filter: JobFilter = {}, limit = 50): Promise<JobStatus[]> {
    return listJobs(this.application, filter, limit);
  }

  /** What waits, runs and is dead, by tenant and type; the deepest queues first. */
  depths(limit = 100): Promise<QueueDepth[]> {
    return readDepths(this.application, limit);
  }

  /** That dead letters were read is an event (`audit.reads.deadLetters`). @throws JobNotFoundError, ReadNotRecordedError */
  async show(ref: JobRef): Promise<JobView> {
    const handle = this.handle(ref);
    const [status, steps, letters] = await Promise.all([
      handle.status(),
      readSteps(this.application, ref),
      readLettersOf(this.application, ref),
    ]);
    if (letters.length > 0) await this.recordRead(ref, letters.length);
    return { status, workflowId: handle.workflowId, webUrl: handle.webUrl, steps, letters };
  }

  /** Open dead letters, the oldest first. That they were read is an event (`audit.reads.deadLetters`). @throws ReadNotRecordedError */
  async dead(filter: DeadFilter = {}, limit = 100): Promise<DeadLetter[]> {
    const letters = await readDeadLetters(this.application, filter, limit);
    await this.recordRead(filter, letters.length);
    return letters;
  }

  /** Lets a dead job run again. Its keys and its completed steps stay. @throws JobNotDeadError, InvalidInputError */
  async redrive(ref: JobRef, { as, input }: RedriveOptions = {}): Promise<JobHandle> {
    const edited = input === undefined ? undefined : await this.edited(ref, input);
    const { tenant, type, key } = ref;
    const parameters = { type, key, input: edited?.fingerprint };
    await this.signing.act({ action: 'jobs.redrive', tenant, parameters }, as, (act) =>
      redrive(this.application, ref, { ...act, edited }),
    );
    await this.tellAudit();
    return this.handle(ref);
  }

  /**
   * Lets all dead jobs of a filter run again, spread over time. Those with undone effects are passed over.
   *
   * @returns those that were redriven
   */
  async redriveMany(
    filter: DeadFilter,
    { as, limit = 1_000, perSecond }: RedriveManyOptions = {},
  ): Promise<JobRef[]> {
    const redriven: JobRef[] = [];
    const { tenant, ...parameters } = { ...filter, limit, perSecond };
    await this.signing.act({ action: 'jobs.redrive', tenant, parameters }, as, async (act) => {
      for (const { tenant, type, key } of await readDeadLetters(this.application, filter, limit)) {
        const delayMs = perSecond === undefined ? 0 : Math.floor((redriven.length * 1_000) / perSecond);
        try {
          await redrive(this.application, { tenant, type, key }, { ...act, delayMs });
          redriven.push({ tenant, type, key });
        } catch (error) {
          // It waits for a decision of its own: `undone.redrive` or `undone.leave`.
          if (!(error instanceof EffectsUndoneError)) throw error;
        }
      }
    });
    await this.tellAudit();
    return redriven;
  }

  /** Closes a dead letter without another run. @throws JobNotDeadError */
  async discard(ref: JobRef, { as, reason }: Actor & { readonly reason: string }): Promise<void> {
    const { tenant, type, key } = ref;
    const wanted = { action: 'jobs.discard', tenant, parameters: { type, key, reason } } as const;
    await this.signing.act(wanted, as, (act) =>
      discard(this.application, ref, { ...act, reason, retentionMs: this.config.jobs.retention }),
    );
    await this.tellAudit();
  }

  /** Sets caps, backlog limit and weight; they hold from the next claim on, also for what is queued. */
  async setLimit(at: Boundary, limit: Limit, { as }: Actor = {}): Promise<void> {
    const { tenant, type } = at;
    const wanted = { action: 'jobs.limit', tenant, parameters: { type, ...limit } } as const;
    await this.signing.act(wanted, as, (act) => setLimit(this.application, at, limit, act));
    await this.tellAudit();
  }

  /**
   * Holds back a tenant's, a type's or a tenant's type's jobs, or one job. A core type is not held for all tenants.
   *
   * @returns whether the hold is new
   * @throws CoreTypeHeldError
   */
  quarantine(at: HoldBoundary, options: Actor & { readonly reason: string }): Promise<boolean> {
    return this.held.quarantine(at, options);
  }

  /** Core types that a hold would stop. */
  coreTypes(at: HoldBoundary): Promise<readonly string[]> {
    return this.held.coreTypes(at);
  }

  /** Lets held jobs go on, in their order, at once or at a rate. @returns whether there was such a hold */
  release(at: HoldBoundary, options: ReleaseOptions = {}): Promise<boolean> {
    return this.held.release(at, options);
  }

  /** Keeps all of a tenant's jobs back until it is resumed, whatever else holds them. @returns whether it is new */
  pause(tenant: string, options: Actor & { readonly reason?: string } = {}): Promise<boolean> {
    return this.held.pause(tenant, options);
  }

  /** Ends a tenant's pause; what is quarantined stays so. @returns whether it was paused */
  resume(tenant: string, options: ReleaseOptions = {}): Promise<boolean> {
    return this.held.resume(tenant, options);
  }

  /** Quarantines and pauses, the oldest first. */
  holds(): Promise<Hold[]> {
    return this.held.list();
  }

  private recordRead({ tenant, ...of }: Partial<JobRef> & DeadFilter, letters: number): Promise<void> {
    return this.reads.record('deadLetters', {
      actor: currentOperator(),
      action: 'dead-letters.read',
      ...(tenant === undefined ? {} : { tenant }),
      details: { ...of, letters },
    });
  }

  private async edited(ref: JobRef, input: unknown) {
    const { jobs } = await this.load();
    const job = jobs.get(ref.type);
    if (job === undefined) throw new UnknownJobTypeError(ref.type, [...jobs.keys()]);
    const checked = job.check(input);
    return { input: checked, fingerprint: fingerprint(checked) };
  }

  private async queue(): Promise<JobQueue> {
    return (await this.load()).queue;
  }

  /** The application's modules are loaded by whoever submits, not by every command. */
  private load() {
    this.loading ??= loadJobs(this.config.jobs.modules).then((loaded) => {
      const jobs = jobsByType([...this.given, ...loaded]);
      const queue = new JobQueue({
        pool: this.application,
        config: this.config.jobs,
        tenancy: this.config.tenancy,
        jobs,
        actor: currentOperator(),
      });
      return { queue, jobs };
    });
    return this.loading;
  }

  /** Events are durable with their acts; a worker brings over what this process cannot. */
  private async tellAudit(): Promise<void> {
    await forwardOutbox(this.application, this.platform).catch(() => undefined);
  }
}
