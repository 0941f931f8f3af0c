import type { Pool } from 'pg';
import { type ReadAudit, recordAuditEvent } from '../core/audit';
import type { Action } from '../core/operators';
import { RestoreInProgressError } from '../core/recovery/errors/restore-in-progress-error';
import { intentParameters } from '../core/recovery/intent-parameters.pure';
import {
  clusterRestoreInput,
  parseInput,
  recoveryDrillInput,
  recoveryPointInput,
  releaseInput,
  tenantRestoreInput,
  tenantUndoInput,
} from '../core/recovery/operation-input';
import type {
  RecoveryOperations,
  RecoveryPointRequest,
  RestoreRequest,
} from '../core/recovery/recovery-strategy-manager';
import { type JournalEntry, RestoreJournal } from '../core/recovery/restore-journal';
import { parseTarget } from '../core/recovery/target/parse-target.pure';
import type {
  ClusterRestoreInput,
  ClusterRestoreReport,
  RecoveryDrillInput,
  RecoveryPointInput,
  RecoveryPointRecord,
  ReleaseInput,
  RestoreReport,
  TenantRestoreInput,
  TenantUndoInput,
} from '../core/recovery/types';
import {
  clusterRestoreWorkflowId,
  drillWorkflowId,
  recoveryPointWorkflowId,
  releaseWorkflowId,
  restoreWorkflowId,
  undoWorkflowId,
} from '../core/recovery/workflow-id';
import { workflowNames } from '../workflows/contract';
import { RunEndedError, RunExistsError, RunNotFoundError } from './errors';
import { OperationRun } from './operation-run';
import { currentOperator } from './operator';
import type { OperatorSigning } from './operator-signing';
import type { RecoveryReader } from './recovery-reader';
import { RecoverySchedules } from './recovery-schedules';
import { newRequestName } from './request-name';
import { startOperation } from './start-operation';
import type { TemporalLink } from './temporal-link';

export type UndoRequest = Omit<TenantUndoInput, 'requestedBy'> & {
  readonly requestedBy?: string;
  /** Needed for another try after an undo of the same restore that was rejected or failed. */
  readonly request?: string;
};

export type ClusterRestoreRequest = Omit<ClusterRestoreInput, 'requestedBy'> & {
  readonly requestedBy?: string;
  readonly request?: string;
};

export type DrillRequest = Omit<RecoveryDrillInput, 'requestedBy'> & {
  readonly requestedBy?: string;
  readonly request?: string;
};

/** Started cluster restore. */
export interface ClusterRun {
  readonly workflowId: string;
  readonly webUrl: string | undefined;
  result(): Promise<ClusterRestoreReport>;
}

/** What the capability `recovery` offers to a program. Every operation is checked here before anything starts. */
export class RecoveryClient implements RecoveryOperations<OperationRun> {
  constructor(
    private readonly link: TemporalLink,
    private readonly platform: Pool,
    private readonly reader: RecoveryReader,
    private readonly signing: OperatorSigning,
    private readonly reads: ReadAudit,
  ) {}

  /**
   * Starts bringing a tenant back to a target.
   *
   * @throws InvalidInputError, RestoreInProgressError (names the run), RunExistsError, TemporalUnavailableError
   */
  async restoreTenant({ request, ...options }: RestoreRequest): Promise<OperationRun> {
    const asked: TenantRestoreInput = parseInput(
      tenantRestoreInput,
      { ...options, requestedBy: options.requestedBy ?? currentOperator() },
      'restoreTenant',
    );
    parseTarget(asked.to);
    const workflowId = restoreWorkflowId(asked.tenant, request ?? newRequestName());
    await this.refuseSecond(asked.tenant, workflowId);
    const input = await this.signed('recovery.restore', workflowId, asked);
    await startOperation(this.link, workflowNames.tenantRestore, workflowId, input, {
      tenant: input.tenant,
      summary: `Restore ${input.tenant} to ${input.to}`,
      details: detailsOf(input),
    });
    return this.run(workflowId);
  }

  /** Starts putting back the rows that a merged restore wrote over. */
  async undo({ request, ...options }: UndoRequest): Promise<OperationRun> {
    const asked: TenantUndoInput = parseInput(
      tenantUndoInput,
      { ...options, requestedBy: options.requestedBy ?? currentOperator() },
      'undo',
    );
    const workflowId = undoWorkflowId(asked.tenant, asked.restoreId, request);
    await this.refuseSecond(asked.tenant, workflowId);
    const input = await this.signed('recovery.undo', workflowId, asked);
    await startOperation(this.link, workflowNames.tenantUndo, workflowId, input, {
      tenant: input.tenant,
      summary: `Undo restore ${input.restoreId} of ${input.tenant}`,
      details: detailsOf(input),
    });
    return this.run(workflowId);
  }

  /**
   * Starts a drill: restores a tenant's rows into staging, compares them and cleans up; nothing is changed. Its report has
   * outcome `drilled` and the objectives it met or missed.
   */
  async drill({ request, ...options }: DrillRequest = {}): Promise<OperationRun> {
    const input = parseInput(
      recoveryDrillInput,
      { ...options, requestedBy: options.requestedBy ?? currentOperator() },
      'drill',
    );
    parseTarget(input.to);
    const workflowId = drillWorkflowId(request ?? newRequestName());
    if (input.tenant !== undefined) await this.refuseSecond(input.tenant, workflowId);
    await startOperation(this.link, workflowNames.recoveryDrill, workflowId, input, {
      tenant: input.tenant,
      summary: `Drill: restore ${input.tenant ?? 'a tenant'} to ${input.to} without merging`,
      details: detailsOf(input),
    });
    return this.run(workflowId);
  }

  /** Makes a backup or a named restore point and waits until it is recorded. */
  async createRecoveryPoint(options: RecoveryPointRequest): Promise<RecoveryPointRecord> {
    const input: RecoveryPointInput & { readonly name: string } = {
      ...parseInput(
        recoveryPointInput,
        { ...options, requestedBy: options.requestedBy ?? currentOperator() },
        'createRecoveryPoint',
      ),
      name: options.name ?? `${options.kind}-${newRequestName()}`,
    };
    const workflowId = recoveryPointWorkflowId(input.name);
    await startOperation(this.link, workflowNames.recoveryPoint, workflowId, input, {
      summary: `Recovery point ${input.name} (${input.kind})`,
      details: detailsOf(input),
    });
    return this.link.resultOf<RecoveryPointRecord>(workflowId);
  }

  /** Starts restoring the whole cluster into a new directory on the worker's host. */
  async restoreCluster({ request, ...options }: ClusterRestoreRequest): Promise<ClusterRun> {
    const asked: ClusterRestoreInput = parseInput(
      clusterRestoreInput,
      { ...options, requestedBy: options.requestedBy ?? currentOperator() },
      'restoreCluster',
    );
    parseTarget(asked.to);
    const workflowId = clusterRestoreWorkflowId(request ?? newRequestName());
    const input = await this.signed('recovery.restore-cluster', workflowId, asked);
    await startOperation(this.link, workflowNames.clusterRestore, workflowId, input, {
      summary: `Restore the cluster to ${input.to}`,
      details: detailsOf(input),
    });
    return {
      workflowId,
      webUrl: this.link.webLink(workflowId),
      result: () => this.link.resultOf<ClusterRestoreReport>(workflowId),
    };
  }

  /**
   * Stops a restore or undo at any step and leaves the tenant as it was. One whose run was terminated in Temporal is
   * cleaned up after.
   *
   * @returns 'asked': the run stops and cleans up by itself; 'released': its clean-up was made up for.
   * @throws RunNotFoundError, RunEndedError
   */
  async cancel(
    reference: string,
    by: { readonly requestedBy?: string; readonly reason?: string } = {},
  ): Promise<'asked' | 'released'> {
    const run = await this.find(reference);
    const requestedBy = by.requestedBy ?? currentOperator();
    if (await this.link.isRunning(run.workflowId)) {
      // Asked first: with the control plane away a tenant may still have to be let go.
      await run.cancel();
      await this.recordCancel(run.workflowId, requestedBy, by.reason);
      return 'asked';
    }
    const entry = await new RestoreJournal(this.platform).findByWorkflow(run.workflowId);
    if (entry === undefined) throw new RunNotFoundError(run.workflowId);
    if (entry.outcome !== undefined) throw new RunEndedError(run.workflowId, entry.outcome);
    const workflowId = releaseWorkflowId(entry.id);
    const input: ReleaseInput = parseInput(
      releaseInput,
      { restoreId: entry.id, requestedBy, reason: by.reason },
      'cancel',
    );
    try {
      await startOperation(this.link, workflowNames.releaseRestore, workflowId, input, {
        tenant: entry.tenant,
        summary: `Clean up after ${run.workflowId}`,
        details: detailsOf(input),
        again: true,
      });
    } catch (error) {
      // A worker has seen it as well, and was faster: its clean-up is this one.
      if (!(error instanceof RunExistsError)) throw error;
    }
    await this.link.resultOf<RestoreReport>(workflowId);
    return 'released';
  }

  /** The handle of a run that somebody else started; asks nothing yet. */
  run(workflowId: string): OperationRun {
    return new OperationRun(this.link, workflowId, this.signing, this.reads);
  }

  /** The newest operations, first the newest, from the control plane's journal. */
  async recent(limit = 20): Promise<readonly JournalEntry[]> {
    return new RestoreJournal(this.platform).recent(limit);
  }

  /** The run of a workflow ID or a restore ID (`r` and twelve hexadecimal digits). @throws RunNotFoundError */
  async find(reference: string): Promise<OperationRun> {
    if (!/^r[0-9a-f]{12}$/.test(reference)) return this.run(reference);
    const entry = await new RestoreJournal(this.platform).find(reference);
    if (entry === undefined) throw new RunNotFoundError(reference);
    return this.run(entry.workflowId);
  }

  /** The stored report of a restore or undo. @throws RunNotFoundError */
  async report(restoreId: string): Promise<RestoreReport> {
    const report = await new RestoreJournal(this.platform).report(restoreId);
    if (report === undefined) throw new RunNotFoundError(restoreId);
    return report;
  }

  /** Regular recovery points, made by Temporal Schedules. */
  get schedules(): RecoverySchedules {
    return new RecoverySchedules(this.link);
  }

  /** Recovery points, and from when to when the cluster can be restored. */
  points(): ReturnType<RecoveryReader['points']> {
    return this.reader.points();
  }

  /** The row images behind a preview, a page at a time. */
  changes(...page: Parameters<RecoveryReader['changes']>): ReturnType<RecoveryReader['changes']> {
    return this.reader.changes(...page);
  }

  /** Jobs and requests whose effects the restore takes back, or took back, a page at a time. */
  undone(...page: Parameters<RecoveryReader['undone']>): ReturnType<RecoveryReader['undone']> {
    return this.reader.undone(...page);
  }

  /** Objectives against what was measured, for one tenant or all. */
  compliance(tenant?: string): ReturnType<RecoveryReader['compliance']> {
    return this.reader.compliance(tenant);
  }

  /** The input with whoever has the key as its requester, and his intent; as it was where operators do not sign. */
  private async signed<Input extends TenantRestoreInput | TenantUndoInput | ClusterRestoreInput>(
    action: Action,
    workflowId: string,
    input: Input,
  ): Promise<Input> {
    if (!this.signing.on) return input;
    const tenant = 'tenant' in input ? input.tenant : undefined;
    const parameters = intentParameters(workflowId, input);
    const { by: requestedBy, intent } = await this.signing.sign(
      { action, tenant, parameters },
      input.requestedBy,
    );
    return { ...input, requestedBy, intent };
  }

  /** The run's own events name its requester; who stopped it is known only here. */
  private async recordCancel(workflowId: string, actor: string, reason: string | undefined): Promise<void> {
    const entry = await new RestoreJournal(this.platform).findByWorkflow(workflowId);
    await recordAuditEvent(this.platform, {
      id: `${workflowId}/cancel-request/${actor}`,
      actor,
      action: 'restore.cancel-request',
      tenant: entry?.tenant,
      object: entry?.id,
      outcome: 'ok',
      request: workflowId,
      details: { reason },
    });
  }

  /** Two restores of a tenant at once would be refused by the database; here the caller hears it at once. */
  private async refuseSecond(tenant: string, workflowId: string): Promise<void> {
    const running = await new RestoreJournal(this.platform).running(tenant);
    if (running === undefined || running.workflowId === workflowId) return;
    if (await this.link.isRunning(running.workflowId)) throw new RestoreInProgressError(tenant, running);
  }
}

function detailsOf(input: { readonly requestedBy: string; readonly reason?: string }): string {
  return [`Requested by ${input.requestedBy}.`, ...(input.reason === undefined ? [] : [input.reason])].join(
    '\n\n',
  );
}
