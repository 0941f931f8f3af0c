import { Context } from '@temporalio/activity';
import { askedBy, recordAuditEvent } from '../core/audit';
import { checkObjectives } from '../core/recovery/check-objectives.pure';
import { recoveryReach } from '../core/recovery/report';
import { RestoreJournal } from '../core/recovery/restore-journal';
import type { ClusterRestoreReport, RestoreReport } from '../core/recovery/types';
import { auditScope } from './audit-scope';
import type { RecoveryServices } from './recovery-services';
import type { OperationRef, ReportFacts } from './types';

/** Stores the report of a restore, undo or drill with its objectives, and counts it. */
export async function finishRestore(
  services: RecoveryServices,
  operation: OperationRef,
  facts: ReportFacts,
): Promise<RestoreReport> {
  const { verification, rtoMs, errorCode, cleanUp, ...kept } = facts;
  const reach = verification && recoveryReach(verification, facts.target);
  const objectives =
    (facts.outcome === 'merged' || facts.outcome === 'drilled') && reach !== undefined
      ? checkObjectives(services.config.objectives, operation.tenant, {
          rpoMs: reach.behindNowMs,
          rtoMs,
        })
      : undefined;
  const report: RestoreReport = {
    restoreId: operation.restoreId,
    tenant: operation.tenant,
    workflowId: Context.current().info.workflowExecution?.workflowId ?? operation.restoreId,
    requestedBy: operation.requestedBy,
    ...kept,
    ...(objectives === undefined ? {} : { objectives }),
    ...(reach === undefined ? {} : { reach }),
    ...(cleanUp.length === 0 ? {} : { cleanUp }),
  };
  if (objectives !== undefined && !(objectives.rpoMet && objectives.rtoMet)) {
    await recordAuditEvent(services.platform, {
      id: `${auditScope()}/objective-missed`,
      actor: 'chronawflow',
      action: 'recovery.objective-missed',
      tenant: operation.tenant,
      object: operation.restoreId,
      outcome: 'OBJECTIVE_MISSED',
      ...askedBy(),
      details: { ...objectives },
    });
  }
  const journal = new RestoreJournal(services.platform);
  const entry = await journal.find(operation.restoreId);
  await journal.finish(operation.restoreId, facts.outcome, { ...report, errorCode });
  // A retry after a lost answer finds the outcome and does not count it twice.
  if (entry?.outcome === undefined) {
    services.metrics.ended(entry?.kind ?? 'restore', facts.outcome);
    if (objectives !== undefined) services.metrics.objectives(objectives);
    if (cleanUp.length > 0) services.metrics.cleanUpIncomplete();
  }
  return report;
}

export async function finishClusterRestore(
  services: RecoveryServices,
  report: ClusterRestoreReport,
): Promise<void> {
  await new RestoreJournal(services.platform).finish(report.restoreId, report.outcome, report);
  services.metrics.ended('cluster', report.outcome);
}
