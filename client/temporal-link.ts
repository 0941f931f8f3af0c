import { Client, type ClientOptions, type WorkflowHandle } from '@temporalio/client';
import type { Config } from '../config';
import { webLink } from '../core/recovery/web-link';
import { connectTemporal, temporalWhenNeeded } from './connect-temporal';
import { errorFromTemporal } from './error-from-temporal';
import { RunNotFoundError, TemporalUnavailableError } from './errors';

/** A query or update needs a worker; longer than this and there is none, or it is stuck. */
const ANSWER_LIMIT_MS = 30_000;

/** How payloads are encoded; the SDK's own way without. */
type LinkOptions = Pick<ClientOptions, 'dataConverter'>;

/** The connection to Temporal, with every error as a ChronawflowError. */
export class TemporalLink {
  private constructor(
    readonly client: Client,
    private readonly config: Config['temporal'],
  ) {}

  /** Connects when the first request is made: Temporal may be away until then. */
  static whenNeeded(config: Config['temporal'], options: LinkOptions = {}): TemporalLink {
    const { namespace } = config;
    const connection = temporalWhenNeeded(config);
    return new TemporalLink(new Client({ connection, namespace, ...options }), config);
  }

  /** @throws TemporalUnavailableError */
  static async open(config: Config['temporal'], options: LinkOptions = {}): Promise<TemporalLink> {
    try {
      const connection = await connectTemporal(config);
      return new TemporalLink(new Client({ connection, namespace: config.namespace, ...options }), config);
    } catch (cause) {
      throw new TemporalUnavailableError(config.address, cause);
    }
  }

  get taskQueue(): string {
    return this.config.taskQueue;
  }

  webLink(workflowId: string, runId?: string): string | undefined {
    return webLink(this.config, workflowId, runId);
  }

  /** A request about one run. */
  async request<T>(workflowId: string, run: (handle: WorkflowHandle) => Promise<T>): Promise<T> {
    try {
      return await run(this.client.workflow.getHandle(workflowId));
    } catch (error) {
      throw this.mapped(error, workflowId);
    }
  }

  /** A request that a worker has to answer: limited, so that nobody waits for a worker that does not run. */
  async ask<T>(workflowId: string, run: (handle: WorkflowHandle) => Promise<T>): Promise<T> {
    return this.request(workflowId, (handle) =>
      this.client.withDeadline(Date.now() + ANSWER_LIMIT_MS, () => run(handle)),
    );
  }

  /** Waits for a run's end; what ended it otherwise is thrown. */
  async resultOf<T>(workflowId: string): Promise<T> {
    return this.request(workflowId, (handle: WorkflowHandle<() => Promise<T>>) => handle.result());
  }

  /** Whether the run is under way; one that Temporal does not know is not. */
  async isRunning(workflowId: string): Promise<boolean> {
    try {
      const { status } = await this.request(workflowId, (handle) => handle.describe());
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof RunNotFoundError) return false;
      throw error;
    }
  }

  /** Any error of Temporal's client as a ChronawflowError about this run. */
  mapped(error: unknown, workflowId: string): Error {
    const { address, taskQueue } = this.config;
    return errorFromTemporal(error, { workflowId, address, taskQueue });
  }

  /** Requests that wait for an answer end with CLIENT_CLOSED. */
  async close(): Promise<void> {
    await this.client.connection.close();
  }
}
