import type { PoolClient } from 'pg';
import type { IdempotencyManager } from '../idempotency-manager';
import type { Execution } from '../types';
import { type HttpResponse, isFinal, type StoredResponse } from './response.pure';

/** A request that is being carried out under its key; its lease is renewed until `end`. */
export class IdempotentRun {
  private readonly letGo: () => void;
  private recorded = false;
  private over = false;

  constructor(
    private readonly idempotency: IdempotencyManager,
    /** With the fence, for systems outside that can refuse a lower one. */
    readonly execution: Execution,
  ) {
    this.letGo = idempotency.keepRenewed(execution);
  }

  /**
   * Records the response in the handler's own transaction: its effects and the answer commit together. Send exactly
   * this response.
   *
   * @throws ExecutionFencedError when another request with this key has taken over: roll back
   */
  async complete(tx: PoolClient, response: HttpResponse): Promise<HttpResponse> {
    await this.record(tx, { kind: 'response', response });
    return response;
  }

  /** What a handler that did not complete has answered: kept where it ends the request. @throws ExecutionFencedError */
  async answered(status: number, stored: () => StoredResponse): Promise<void> {
    this.over = isFinal(status);
    if (this.recorded || !this.over) return;
    await this.record(undefined, stored());
  }

  /** Others may take over when the lease is over. */
  stopRenewing(): void {
    this.letGo();
  }

  /** The request is over. One that was not completed may be tried again at once. */
  async end(): Promise<void> {
    this.letGo();
    // One that was recorded and then answered with an error has been rolled back.
    if (!(this.recorded && this.over)) await this.idempotency.abandonExecution(this.execution);
  }

  private async record(tx: PoolClient | undefined, stored: StoredResponse): Promise<void> {
    await this.idempotency.completeExecution(this.execution, stored, tx);
    this.recorded = true;
  }
}
