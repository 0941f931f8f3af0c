import type { ConsumerOptions } from './job-consumer';
import { JobConsumer, type LeasedJob } from './job-consumer';
import type { JobQueueOptions } from './job-queue';
import { JobQueue } from './job-queue';
import type { SubmitRequest } from './prepare-submission';
import type { AttemptEnd } from './types';

/**
 * The queue's two sides for a service without Temporal, under the names of the architecture document: the same queue,
 * caps and dead letters as everywhere.
 *
 * @example
 * const queue = new QueueBoundaryManager({ pool, config: config.jobs, tenancy: config.tenancy, jobs: jobsByType([mail]), log });
 * await queue.enqueue({ tenant: 'acme', type: 'mail', key: 'welcome-7', input: { to: 7 } });
 * for (const job of await queue.dequeue(10)) {
 *   try { await send(job); await job.acknowledge(); } catch (error) { await queue.handleFailure(job, error); }
 * }
 */
export class QueueBoundaryManager {
  private readonly queue: JobQueue;
  private readonly consumer: JobConsumer;

  constructor(options: JobQueueOptions & ConsumerOptions) {
    this.queue = new JobQueue(options);
    this.consumer = new JobConsumer(options);
  }

  /** As JobQueue.submit. */
  enqueue(request: SubmitRequest): Promise<'submitted' | 'known'> {
    return this.queue.submit(request);
  }

  /** Leases the next admitted jobs to this process. */
  dequeue(atMost = 1): Promise<LeasedJob[]> {
    return this.consumer.dequeue(atMost);
  }

  /** The job waits for its retry or is a dead letter. @throws JobFencedError */
  handleFailure(job: LeasedJob, error: unknown): Promise<AttemptEnd> {
    return job.fail(error);
  }

  /** Gives back what was taken and not ended. */
  close(): Promise<void> {
    return this.consumer.close();
  }
}
