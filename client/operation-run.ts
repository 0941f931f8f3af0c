import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadAudit } from '../core/audit';
import type { Action, Intent } from '../core/operators';
import { approvalParameters, rejectionParameters } from '../core/recovery/intent-parameters.pure';
import { restoreIdFor } from '../core/recovery/restore-id';
import type { RestorePreview, RestoreReport } from '../core/recovery/types';
import {
  type Approval,
  type ApprovalAnswer,
  messageNames,
  type OperationStatus,
  type Rejection,
} from '../workflows/contract';
import { NoWorkerAnsweredError, RunEndedError, RunNotFoundError } from './errors';
import { currentOperator } from './operator';
import type { OperatorSigning } from './operator-signing';
import type { TemporalLink } from './temporal-link';

/** How often a waiting caller looks; each look is one query. */
const LOOK_EVERY_MS = 500;

export interface WaitOptions {
  /** Milliseconds; default 24 hours. */
  readonly limitMs?: number;
  readonly onStatus?: (status: OperationStatus) => void;
  readonly signal?: AbortSignal;
}

export interface ApprovalRequest {
  /** The hash that the preview shows; an approval of another one is refused. */
  readonly diffHash: string;
  /** Who approves; default CHRONAWFLOW_OPERATOR. With signed operators it is whose key signs. */
  readonly as?: string;
}

export interface RejectionRequest {
  readonly as?: string;
  readonly reason: string;
}

/**
 * A running or ended restore or undo.
 *
 * @example
 * const run = await cf.recovery.restoreTenant({ tenant: 'acme', to: '20m ago' });
 * const preview = await run.preview();
 * await run.approve({ diffHash: preview.diffHash, as: 'grace' });
 * const report = await run.result();
 */
export class OperationRun {
  constructor(
    private readonly link: TemporalLink,
    readonly workflowId: string,
    private readonly signing: OperatorSigning,
    private readonly reads: ReadAudit,
  ) {}

  /** Address in Temporal's Web UI; undefined when the configuration names no Web UI. */
  get webUrl(): string | undefined {
    return this.link.webLink(this.workflowId);
  }

  /** Phase, approvals, time by step. @throws RunNotFoundError, NoWorkerAnsweredError */
  async status(): Promise<OperationStatus> {
    return this.link.ask(this.workflowId, (handle) => handle.query<OperationStatus>(messageNames.status));
  }

  /** The preview that is there now, if any. That it was read is an event (`audit.reads.previews`). @throws ReadNotRecordedError */
  async currentPreview(): Promise<RestorePreview | undefined> {
    const preview = await this.link.ask(this.workflowId, (handle) =>
      handle.query<RestorePreview | null>(messageNames.preview),
    );
    return preview === null ? undefined : this.shown(preview);
  }

  /**
   * Waits for the preview that people are asked about, or for the last one when the run has gone on or ended.
   *
   * @throws the run's own error when it ended before there was a preview.
   */
  async preview(options: WaitOptions = {}): Promise<RestorePreview> {
    await this.until((status) => decided(status) || status.approval.kind === 'open', options);
    const preview = await this.currentPreview();
    if (preview !== undefined) return preview;
    const report = await this.result();
    if (report.preview !== undefined) return this.shown(report.preview);
    throw new NoWorkerAnsweredError(this.workflowId, this.link.taskQueue);
  }

  /**
   * Approves exactly the diff with this hash. With approvals still missing the run goes on waiting.
   *
   * @throws RemoteError with code HASH_MISMATCH, APPROVAL_BY_REQUESTER, ALREADY_APPROVED or APPROVAL_CLOSED;
   *   RunEndedError when it comes too late; where operators sign SignerUnavailableError, and RemoteError with code
   *   OPERATOR_REVOKED, INTENT_OUT_OF_SCOPE, …
   */
  async approve({ diffHash, as }: ApprovalRequest): Promise<ApprovalAnswer> {
    const parameters = approvalParameters(restoreIdFor(this.workflowId), diffHash);
    const { by, intent } = await this.sign('recovery.approve', parameters, as);
    return this.update(messageNames.approve, { diffHash, as: by, ...(intent && { intent }) });
  }

  /** Ends the run without a change. @throws RemoteError with code APPROVAL_CLOSED, RunEndedError */
  async reject({ as, reason }: RejectionRequest): Promise<ApprovalAnswer> {
    const parameters = rejectionParameters(restoreIdFor(this.workflowId), reason);
    const { by, intent } = await this.sign('recovery.reject', parameters, as);
    return this.update(messageNames.reject, { as: by, reason, ...(intent && { intent }) });
  }

  /** Asks the run to stop and clean up; {@link result} tells when it has, and whether a merge was faster. */
  async cancel(): Promise<void> {
    await this.link.request(this.workflowId, (handle) => handle.cancel());
  }

  /**
   * Waits for the end.
   *
   * @returns the report with outcome merged, nothing-to-do, rejected or expired
   * @throws RunCancelledError, RunTerminatedError, or the RemoteError that ended it
   */
  async result(): Promise<RestoreReport> {
    return this.link.resultOf<RestoreReport>(this.workflowId);
  }

  /** Waits until the status is as asked or the run has ended. A worker that is away for a while is waited for. */
  async until(
    reached: (status: OperationStatus) => boolean,
    options: WaitOptions = {},
  ): Promise<OperationStatus> {
    const limit = Date.now() + (options.limitMs ?? 24 * 3_600_000);
    for (;;) {
      options.signal?.throwIfAborted();
      const status = await this.statusIfAnswered(limit);
      if (status !== undefined) {
        options.onStatus?.(status);
        if (status.outcome !== undefined || reached(status)) return status;
      }
      // A run that failed before its first step has no outcome to show; its result throws the reason.
      if (!(await this.link.isRunning(this.workflowId))) await this.result();
      if (Date.now() > limit) throw new NoWorkerAnsweredError(this.workflowId, this.link.taskQueue);
      await sleep(LOOK_EVERY_MS, undefined, { signal: options.signal });
    }
  }

  private async shown(preview: RestorePreview): Promise<RestorePreview> {
    await this.reads.record('previews', {
      actor: currentOperator(),
      action: 'preview.read',
      tenant: preview.tenant,
      object: this.workflowId,
      details: { diffHash: preview.diffHash },
    });
    return preview;
  }

  private async sign(action: Action, parameters: Intent['parameters'], as: string | undefined) {
    const { tenant } = this.signing.on ? await this.status() : {};
    return this.signing.sign({ action, tenant, parameters }, as);
  }

  private async update(name: 'approve' | 'reject', message: Approval | Rejection): Promise<ApprovalAnswer> {
    try {
      return await this.link.ask(this.workflowId, (handle) =>
        handle.executeUpdate<ApprovalAnswer, [Approval | Rejection]>(name, { args: [message] }),
      );
    } catch (error) {
      if (!(error instanceof RunNotFoundError)) throw error;
      // Temporal answers like this for a run that has ended, too; that one still has a status.
      const { outcome } = await this.status();
      throw outcome === undefined ? error : new RunEndedError(this.workflowId, outcome);
    }
  }

  private async statusIfAnswered(limit: number): Promise<OperationStatus | undefined> {
    try {
      return await this.status();
    } catch (error) {
      if (error instanceof NoWorkerAnsweredError && Date.now() < limit) return undefined;
      throw error;
    }
  }
}

function decided(status: OperationStatus): boolean {
  return ['merging', 'unfreezing', 'reporting', 'done'].includes(status.phase);
}
