import { Context } from '@temporalio/activity';
import { askedBy, recordAuditEvent } from '../core/audit';
import { ChronawflowError } from '../core/errors';
import { RestoreJournal } from '../core/recovery/restore-journal';
import { auditScope } from './audit-scope';
import { finishClusterRestore, finishRestore } from './finish-operation';
import {
  prepareClusterRestore,
  prepareDrill,
  prepareRecoveryPoint,
  prepareRelease,
  prepareRestore,
  prepareUndo,
} from './prepare-operation';
import { mergeVerified, verifyClusterRequest, verifyDecision, verifyRequest } from './recovery-intents';
import { recoveryRequest } from './recovery-request';
import type { RecoveryServices } from './recovery-services';
import { asActivity, recoveryStep, type StepDefinition } from './recovery-step';
import { verifyResolvedTarget, verifyTargetRequest } from './signed-target';
import type { ChangeRules, OperationRef, RecoveryActivities } from './types';

/** The activities of the capability `recovery`: each one calls one step of the engine and says that it did. */
export function createRecoveryActivities(services: RecoveryServices): RecoveryActivities {
  const { engine } = services;
  const journal = new RestoreJournal(services.platform);
  const step = <In extends { readonly operation: OperationRef }, Out>(definition: StepDefinition<In, Out>) =>
    recoveryStep(services, definition);
  const request = <Out extends { readonly operation: OperationRef }>(
    kind: string,
    prepare: (input: unknown) => Promise<Out>,
  ) =>
    recoveryRequest(services, kind, async (input) => {
      const prepared = await prepare(input);
      return { prepared, object: prepared.operation.restoreId, tenant: prepared.operation.tenant };
    });
  const previewRequest = (operation: OperationRef, rules: ChangeRules) => ({
    restoreId: operation.restoreId,
    ...rules,
  });

  return {
    prepareRestore: request('restore', (input) => prepareRestore(services, input)),
    prepareUndo: request('undo', (input) => prepareUndo(services, input)),
    prepareDrill: request('drill', (input) => prepareDrill(services, input)),
    prepareRelease: recoveryRequest(services, 'release', async (input) => {
      const prepared = await prepareRelease(services, input);
      return { prepared, object: prepared.restoreId, tenant: prepared.tenant };
    }),

    openRestore: step({
      action: 'restore.open',
      run: ({ operation, undoOf, tenantDeleted }) =>
        engine.open({
          restoreId: operation.restoreId,
          kind: undoOf === undefined ? 'restore' : 'undo',
          tenant: operation.tenant,
          workflowId: Context.current().info.workflowExecution?.workflowId ?? operation.restoreId,
          undoOf,
          tenantDeleted,
          exactTenant: services.intents !== undefined,
        }),
      facts: (_, { undoOf }) => ({ undoOf }),
    }),

    resolveTarget: step({
      action: 'restore.resolve-target',
      phase: 'resolving',
      run: async ({ operation, target, timeline }, control) => {
        await verifyTargetRequest(services, operation, target, timeline);
        const resolved = await engine.resolveTarget(target, { timeline }, control);
        await journal.target(operation.restoreId, resolved);
        return resolved;
      },
      facts: (target) => ({ ...target }),
    }),
    verifyBackup: step({
      action: 'restore.verify-backup',
      phase: 'verifying',
      run: ({ target }, control) => engine.verifyBackup(target, control),
      facts: (verification) => ({ ...verification }),
    }),
    chooseScratchHost: async () => services.scratchHost,
    restoreScratch: step({
      action: 'restore.scratch',
      phase: 'restoring-scratch',
      run: ({ operation, target }, control) => engine.restoreScratch(operation.restoreId, target, control),
      facts: (scratch) => ({ host: scratch.host }),
    }),
    validateScratch: step({
      action: 'restore.validate-scratch',
      phase: 'validating',
      run: ({ scratch, target }, control) => engine.validateScratch(scratch, target, control),
      facts: (validation) => ({ ...validation }),
    }),
    prepareSlice: step({
      action: 'restore.prepare-slice',
      run: ({ operation }, control) => engine.prepareSlice(operation.restoreId, control),
      facts: (prepared) => ({ ...prepared }),
    }),
    stageSlice: step({
      action: 'restore.stage',
      phase: 'staging',
      run: async ({ operation, scratch, target }, control) => {
        await verifyResolvedTarget(services, operation, target);
        return engine.stageSlice(operation.restoreId, scratch, target, control);
      },
      facts: (staged) => ({ ...staged }),
    }),
    stageUndo: step({
      action: 'undo.stage',
      phase: 'staging',
      run: ({ operation }, control) => engine.stageUndo(operation.restoreId, control),
      facts: (staged) => ({ ...staged }),
    }),

    freezeTenant: step({
      action: 'restore.freeze',
      phase: 'freezing',
      run: async ({ operation }, control) => {
        await verifyRequest(services, operation);
        return engine.freeze(operation.restoreId, control);
      },
      facts: (freeze) => ({ ...freeze }),
    }),
    previewChanges: step({
      action: 'restore.preview',
      phase: 'previewing',
      run: async ({ operation, rules, scratch, target }, control) => {
        if (target !== undefined) await verifyResolvedTarget(services, operation, target);
        const preview = await engine.preview(previewRequest(operation, rules), scratch, target, control);
        await journal.preview(operation.restoreId, preview);
        return preview;
      },
      facts: (preview) => ({ diffHash: preview.diffHash, totals: preview.totals, blocked: preview.blocked }),
    }),
    notePhase: step({
      action: 'restore.phase',
      run: ({ operation, phase }) => journal.enter(operation.restoreId, phase),
      facts: (_, { phase }) => ({ phase }),
    }),
    recordApproval: step({
      action: 'restore.approval',
      run: async () => undefined,
      facts: (_, { record }) => ({ ...record }),
      actor: ({ record }) => (record.kind === 'expired' ? 'chronawflow' : record.by),
    }),
    verifyDecision: step({
      action: 'restore.decision',
      run: (input) => verifyDecision(services, input),
      facts: (_, { decision }) => ({ ...decision }),
      actor: ({ decision }) => decision.as,
    }),
    mergeSlice: step({
      action: 'restore.merge',
      phase: 'merging',
      run: (input, control) => {
        const { operation, rules, approvedHash } = input;
        return mergeVerified(services, input, control, (controlled) =>
          engine.merge(previewRequest(operation, rules), approvedHash, controlled),
        );
      },
      facts: (merge, { approvedHash }) =>
        merge.kind === 'merged'
          ? { approvedHash, digestBefore: merge.digestBefore, digestAfter: merge.digestAfter }
          : { approvedHash, result: merge.kind, diffHash: merge.diffHash },
    }),

    cancelRestore: step({
      action: 'restore.cancel',
      run: ({ operation }) => unlessNeverOpened(engine.cancel(operation.restoreId), 'cancelled'),
      facts: (settled) => ({ settled }),
    }),
    unfreezeTenant: step({
      action: 'restore.unfreeze',
      phase: 'unfreezing',
      run: ({ operation }, control) =>
        unlessNeverOpened(engine.unfreeze(operation.restoreId, control), undefined),
    }),
    removeScratch: step({
      action: 'restore.remove-scratch',
      run: ({ operation }) => engine.removeScratch(operation.restoreId),
    }),
    closeRestore: step({
      action: 'restore.close',
      phase: 'reporting',
      run: ({ operation, state }) => unlessNeverOpened(engine.close(operation.restoreId, state), undefined),
      facts: (_, { state }) => ({ state }),
    }),
    finishRestore: step({
      action: 'restore.finish',
      run: ({ operation, facts }) => finishRestore(services, operation, facts),
      facts: (report) => ({
        outcome: report.outcome,
        approvedBy: report.approvedBy,
        objectives: report.objectives,
      }),
    }),

    prepareRecoveryPoint: (input) =>
      asActivity(services, 'recovery-point.prepare', () => prepareRecoveryPoint(input)),
    createRecoveryPoint: (point) =>
      asActivity(services, 'recovery-point.create', async (control) => {
        const workflowId = Context.current().info.workflowExecution?.workflowId ?? point.name;
        const record = await services.createRecoveryPoint({ ...point, workflowId }, control);
        await recordAuditEvent(services.platform, {
          id: auditScope(),
          actor: point.requestedBy,
          action: 'recovery-point.create',
          object: record.name,
          outcome: 'ok',
          ...askedBy(),
          details: { ...record, reason: point.reason },
        });
        services.metrics.pointCreated();
        return record;
      }),

    prepareClusterRestore: recoveryRequest(services, 'cluster-restore', async (input) => {
      const prepared = await prepareClusterRestore(services, input);
      return { prepared, object: prepared.restoreId };
    }),
    restoreCluster: step({
      action: 'cluster-restore.restore',
      phase: 'restoring-scratch',
      run: async ({ operation, target, into, promote }, control) => {
        await verifyClusterRequest(services, operation, { into, promote });
        await verifyResolvedTarget(services, operation, target);
        return services.restoreCluster({ restoreId: operation.restoreId, target, into, promote }, control);
      },
      facts: (cluster) => ({ ...cluster }),
    }),
    finishClusterRestore: step({
      action: 'cluster-restore.finish',
      run: ({ report }) => finishClusterRestore(services, report),
      facts: (_, { report }) => ({ outcome: report.outcome }),
    }),
  };
}

/** The clean-up also runs when it is not known whether the restore was opened; one that was not has nothing to clean. */
async function unlessNeverOpened<T>(step: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof ChronawflowError && error.code === 'RESTORE_NOT_FOUND') return otherwise;
    throw error;
  }
}
