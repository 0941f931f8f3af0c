import type { ComplianceReport } from './report';
import type { RecoveryPointInput, RecoveryPointRecord, RestoreReport, TenantRestoreInput } from './types';

/** How the manager starts durable work; implemented by whoever can start workflows (client/). */
export interface RecoveryOperations<Run extends RecoveryRun = RecoveryRun> {
  restoreTenant(request: RestoreRequest): Promise<Run>;
  createRecoveryPoint(request: RecoveryPointRequest): Promise<RecoveryPointRecord>;
  compliance(tenant?: string): Promise<ComplianceReport>;
}

/** A started restore, as far as this file needs it. */
export interface RecoveryRun {
  readonly workflowId: string;
  result(): Promise<RestoreReport>;
}

/** A restore as an SDK's caller asks for it: the requester defaults to the operator who runs the process. */
export type RestoreRequest = Omit<TenantRestoreInput, 'requestedBy'> & {
  readonly requestedBy?: string;
  /** Name of this request, the last part of the workflow's ID; a name is carried out once. Default: the time. */
  readonly request?: string;
};

export type RecoveryPointRequest = Omit<RecoveryPointInput, 'requestedBy'> & {
  readonly requestedBy?: string;
};

/**
 * The recovery strategy of a deployment behind three methods: bring a tenant back, make points to come back to, and
 * say whether the objectives are met. It starts the same workflows as the CLI and `chronawflow.recovery`.
 */
export class RecoveryStrategyManager<Run extends RecoveryRun = RecoveryRun> {
  constructor(private readonly operations: RecoveryOperations<Run>) {}

  /** Starts a restore and returns its handle: preview, approve, result. */
  restoreTenant(request: RestoreRequest): Promise<Run> {
    return this.operations.restoreTenant(request);
  }

  /** Makes a backup or named restore point and waits until it is recorded. */
  createRecoveryPoint(request: RecoveryPointRequest): Promise<RecoveryPointRecord> {
    return this.operations.createRecoveryPoint(request);
  }

  /** Holds recovery points and past restores against the objectives of each tenant's tier. */
  validateRPORTOCompliance(tenant?: string): Promise<ComplianceReport> {
    return this.operations.compliance(tenant);
  }
}
