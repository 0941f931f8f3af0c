import type { JobsConfig } from '../../config';
import { type ConsumerOptions, JobConsumer, type LeasedJob } from './job-consumer';
import { JobQueue, type JobQueueOptions } from './job-queue';
import type { SubmitRequest } from './prepare-submission';

/**
 * The queue by its levels, for a service without Temporal, under the names of the architecture document: the same queue,
 * shares, ageing and overflow as everywhere.
 *
 * @example
 * const queue = new PriorityQueueManager({ pool, config: config.jobs, tenancy: config.tenancy, jobs: jobsByType([mail]), log });
 * const welcome = { tenant: 'acme', type: 'mail', key: 'welcome-7', input: { to: 7 }, priority: 1 } as const;
 * try {
 *   await queue.enqueue(welcome);
 * } catch (error) {
 *   if (error instanceof BacklogFullError) await queue.handleOverflow(welcome, 'shed');
 * }
 * const [first] = await queue.dequeue();
 */
export class PriorityQueueManager {
  private readonly queue: JobQueue;
  private readonly consumer: JobConsumer;

  constructor(private readonly options: JobQueueOptions & ConsumerOptions) {
    this.queue = new JobQueue(options);
    this.consumer = new JobConsumer(options);
  }

  /** As JobQueue.submit; a full backlog is dealt with as `jobs.overflow` says. @throws BacklogFullError */
  enqueue(request: SubmitRequest): Promise<'submitted' | 'known'> {
    return this.queue.submit(request);
  }

  /** Leases the next jobs to this process: between tenants by share, within a tenant by level and age. */
  dequeue(atMost = 1): Promise<LeasedJob[]> {
    return this.consumer.dequeue(atMost);
  }

  /**
   * Submits a job for which its tenant's backlog may have no room: `defer` takes it all the same, `shed` in the place of a
   * less urgent one, which becomes a dead letter.
   *
   * @param overflow default `jobs.overflow`
   * @throws BacklogFullError when it is refused, or nothing less urgent can make room
   */
  handleOverflow(
    request: SubmitRequest,
    overflow: JobsConfig['overflow'] = this.options.config.overflow,
  ): Promise<'submitted' | 'known'> {
    const { config } = this.options;
    return new JobQueue({ ...this.options, config: { ...config, overflow } }).submit(request);
  }

  /** Gives back what was taken and not ended. */
  close(): Promise<void> {
    return this.consumer.close();
  }
}
