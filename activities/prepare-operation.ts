import { Context } from '@temporalio/activity';
import type { Demand } from '../core/operators';
import { ApprovalsBelowPolicyError } from '../core/recovery/errors/approvals-below-policy-error';
import { NotUndoableError } from '../core/recovery/errors/not-undoable-error';
import { OperationFinishedError } from '../core/recovery/errors/operation-finished-error';
import { RestoreNotFoundError } from '../core/recovery/errors/restore-not-found-error';
import {
  clusterRestoreInput,
  parseInput,
  recoveryDrillInput,
  recoveryPointInput,
  releaseInput,
  tenantRestoreInput,
  tenantUndoInput,
} from '../core/recovery/operation-input';
import { restoreIdFor } from '../core/recovery/restore-id';
import { type BeginEntry, RestoreJournal } from '../core/recovery/restore-journal';
import type { ReleaseInput, TenantRestoreInput, TenantUndoInput } from '../core/recovery/types';
import { webLink } from '../core/recovery/web-link';
import { inTransaction } from '../database';
import { refuseOtherName, requestDemand } from './recovery-intents';
import type { RecoveryServices } from './recovery-services';
import type {
  OperationRef,
  PreparedClusterRestore,
  PreparedOperation,
  PreparedRecoveryPoint,
  PreparedRestore,
  PreparedUndo,
} from './types';

/** The first step of every workflow: input checked, defaults filled in, the operation entered in the journal. */

export async function prepareRestore(services: RecoveryServices, raw: unknown): Promise<PreparedRestore> {
  const input: TenantRestoreInput = parseInput(tenantRestoreInput, raw, 'tenantRestore');
  const target = services.parseTarget(input.to);
  const prepared = prepareOperation(services, input);
  await begin(services, {
    id: prepared.operation.restoreId,
    kind: 'restore',
    tenant: input.tenant,
    workflowId: workflow().workflowId,
    requestedBy: input.requestedBy,
    reason: input.reason,
    demand: requestDemand('recovery.restore', workflow().workflowId, input),
  });
  return {
    ...prepared,
    rules: {
      ...prepared.rules,
      modes: { create: true, update: true, delete: true, ...input.modes },
      allowEmpty: input.allowEmpty ?? false,
    },
    target,
    timeline: input.timeline,
    tenantDeleted: input.tenantDeleted ?? false,
  };
}

export async function prepareUndo(services: RecoveryServices, raw: unknown): Promise<PreparedUndo> {
  const input: TenantUndoInput = parseInput(tenantUndoInput, raw, 'tenantUndo');
  const undone = await new RestoreJournal(services.platform).find(input.restoreId);
  if (undone === undefined) throw new NotUndoableError(input.restoreId, input.tenant, 'it is not known');
  if (undone.tenant !== input.tenant) {
    throw new NotUndoableError(input.restoreId, input.tenant, 'it belongs to another tenant');
  }
  if (undone.outcome !== 'merged') {
    const found = undone.outcome === undefined ? 'it has not ended' : `it ended ${undone.outcome}`;
    throw new NotUndoableError(input.restoreId, input.tenant, found);
  }
  const prepared = prepareOperation(services, input);
  await begin(services, {
    id: prepared.operation.restoreId,
    kind: 'undo',
    tenant: input.tenant,
    workflowId: workflow().workflowId,
    requestedBy: input.requestedBy,
    reason: input.reason,
    demand: requestDemand('recovery.undo', workflow().workflowId, input),
  });
  return { ...prepared, undoOf: input.restoreId };
}

/** A drill goes the way of a restore as far as the preview; the tenant it chose stays the same in every attempt. */
export async function prepareDrill(services: RecoveryServices, raw: unknown): Promise<PreparedRestore> {
  const input = parseInput(recoveryDrillInput, raw, 'recoveryDrill');
  const target = services.parseTarget(input.to);
  const { workflowId } = workflow();
  const restoreId = restoreIdFor(workflowId);
  const known = await new RestoreJournal(services.platform).find(restoreId);
  const tenant = input.tenant ?? known?.tenant ?? (await services.chooseDrillTenant(restoreId));
  const prepared = prepareOperation(services, { ...input, tenant });
  await begin(services, {
    id: restoreId,
    kind: 'drill',
    tenant,
    workflowId,
    requestedBy: input.requestedBy,
    reason: input.reason,
  });
  return { ...prepared, target, tenantDeleted: false };
}

/** Finds what is to be released; an operation that has ended has cleaned up after itself. */
export async function prepareRelease(services: RecoveryServices, raw: unknown): Promise<OperationRef> {
  const input: ReleaseInput = parseInput(releaseInput, raw, 'releaseRestore');
  const entry = await new RestoreJournal(services.platform).find(input.restoreId);
  if (entry?.tenant === undefined) throw new RestoreNotFoundError(input.restoreId);
  if (entry.outcome !== undefined)
    throw new OperationFinishedError(entry.workflowId, entry.id, entry.outcome);
  return { restoreId: entry.id, tenant: entry.tenant, requestedBy: input.requestedBy };
}

export async function prepareRecoveryPoint(raw: unknown): Promise<PreparedRecoveryPoint> {
  const input = parseInput(recoveryPointInput, raw, 'recoveryPoint');
  return { ...input, name: input.name ?? nameFromWorkflow(workflow().workflowId) };
}

export async function prepareClusterRestore(
  services: RecoveryServices,
  raw: unknown,
): Promise<PreparedClusterRestore> {
  const input = parseInput(clusterRestoreInput, raw, 'clusterRestore');
  const { workflowId } = workflow();
  const restoreId = restoreIdFor(workflowId);
  const target = services.parseTarget(input.to);
  await begin(services, {
    id: restoreId,
    kind: 'cluster',
    tenant: undefined,
    workflowId,
    requestedBy: input.requestedBy,
    reason: input.reason,
    demand: requestDemand('recovery.restore-cluster', workflowId, input),
  });
  return {
    restoreId,
    requestedBy: input.requestedBy,
    intent: input.intent,
    into: input.into,
    promote: input.promote ?? false,
    target,
    timeline: input.timeline,
  };
}

type OperationInput = Pick<
  TenantRestoreInput & TenantUndoInput,
  'tenant' | 'requestedBy' | 'decisions' | 'freeze' | 'approvals' | 'intent'
>;

function prepareOperation(
  { config, intents }: Pick<RecoveryServices, 'config' | 'intents'>,
  input: OperationInput,
): PreparedOperation {
  const { workflowId, runId } = workflow();
  const { recovery } = config;
  const least = Math.max(recovery.approvals, intents?.policy.fourEyes.restore ?? 0);
  return {
    operation: {
      restoreId: restoreIdFor(workflowId),
      tenant: input.tenant,
      requestedBy: input.requestedBy,
      ...(intents === undefined || input.intent === undefined ? {} : { intent: input.intent }),
    },
    rules: {
      modes: { create: true, update: true, delete: true },
      decisions: input.decisions ?? [],
      allowEmpty: false,
    },
    freeze: input.freeze ?? recovery.freeze,
    approvals: approvalsFor(least, input.approvals),
    approvalMs: recovery.approvalTimeout,
    mergeMs: recovery.mergeLimit,
    webUrl: webLink(config.temporal, workflowId, runId),
    ...(intents === undefined ? {} : { signed: true }),
  };
}

/** Whoever asks may want more eyes on it than the policy, never fewer. */
function approvalsFor(least: number, asked: 0 | 1 | 2 | undefined): 0 | 1 | 2 {
  if (asked !== undefined && asked < least) throw new ApprovalsBelowPolicyError(asked, least);
  if (asked !== undefined) return asked;
  return least >= 2 ? 2 : least >= 1 ? 1 : 0;
}

/** Where operators sign, the entry and the use of the request's nonce are one transaction; a drill changes nothing and needs none. */
async function begin(
  { platform, intents }: RecoveryServices,
  { demand, ...entry }: BeginEntry & { readonly demand?: Demand },
): Promise<void> {
  const found =
    intents === undefined || demand === undefined
      ? await new RestoreJournal(platform).begin(entry)
      : await inTransaction(platform, async (tx) => {
          const { request } = await intents.verify(tx, demand);
          refuseOtherName(request.operator.name, entry.requestedBy, 'A request');
          return new RestoreJournal(tx).begin(entry);
        });
  if (found.outcome !== undefined)
    throw new OperationFinishedError(entry.workflowId, entry.id, found.outcome);
}

/**
 * Runs that a schedule starts have its ID and the time in theirs (`recovery-point/nightly-2026-11-23T02:00:00Z`); that
 * is also the point's name, cut from the left so that the time stays.
 */
function nameFromWorkflow(workflowId: string): string {
  return (workflowId.split('/').at(-1) ?? workflowId)
    .replaceAll(/[^A-Za-z0-9._:-]/g, '-')
    .slice(-63)
    .replace(/^[^A-Za-z0-9]+/, '');
}

function workflow(): { readonly workflowId: string; readonly runId: string } {
  const execution = Context.current().info.workflowExecution;
  if (execution === undefined) throw new TypeError('this activity belongs to a workflow');
  return execution;
}
