import type { Json } from '../core/idempotency';
import { type JobQueue, type JobRef, type JobStatus, jobWorkflowId } from '../core/jobs';
import { RunNotFoundError } from './errors';
import type { TemporalLink } from './temporal-link';

/** One job, by whoever holds its names. */
export class JobHandle {
  constructor(
    readonly ref: JobRef,
    private readonly queue: () => Promise<JobQueue>,
    private readonly link: TemporalLink,
  ) {}

  /** `job/<tenant>/<type>/<key>`; the workflow is there from its first attempt on. */
  get workflowId(): string {
    return jobWorkflowId(this.ref);
  }

  get webUrl(): string | undefined {
    return this.link.webLink(this.workflowId);
  }

  /** Waits for the job's end. @throws JobDeadError, JobCancelledError, JobNotFoundError */
  async result(): Promise<Json> {
    return (await this.queue()).result(this.ref);
  }

  /** @throws JobNotFoundError */
  async status(): Promise<JobStatus> {
    return (await this.queue()).status(this.ref);
  }

  /**
   * Cancels the job: at once where it waits; where it runs, its code is told by `ctx.signal` and may still end it well.
   *
   * @throws JobNotFoundError
   */
  async cancel(): Promise<void> {
    const queue = await this.queue();
    await queue.status(this.ref);
    await queue.cancelWaiting(this.ref);
    try {
      await this.link.request(this.workflowId, (handle) => handle.cancel());
    } catch (error) {
      // It was never handed over, or has ended: there is no run to tell.
      if (!(error instanceof RunNotFoundError)) throw error;
    }
  }
}
