import { hostname, platform } from 'node:os';
import { askedBy, recordAuditEvent } from '../core/audit';
import { ChaosRunStore, checkExperiment, experimentJournal } from '../core/chaos';
import type { ChaosActivities, ChaosReport } from '../core/chaos/types';
import { auditScope } from './audit-scope';
import { isPermitted } from './chaos-intents';
import { executionOf } from './chaos-run';
import type { ChaosServices } from './chaos-services';

/** Writes report and journal of a run, and says in the audit log how it ended. The same again changes nothing. */
export async function finishChaos(
  services: ChaosServices,
  { request, facts, plan }: Parameters<ChaosActivities['finishChaos']>[0],
): Promise<ChaosReport> {
  // A report is of the run that writes it, whatever the input names.
  const { workflowId } = executionOf();
  const endedAt = new Date().toISOString();
  const report: ChaosReport = {
    ...facts,
    runId: workflowId,
    title: checkExperiment(request.experiment).title,
    endedAt,
    requestedBy: request.requestedBy,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    residual: facts.faults.filter(({ endedBy }) => endedBy === '').length,
    ...(plan === undefined ? {} : { plan }),
  };
  if (request.dryRun) return report;
  // Nobody is known to have asked for a run that was never verified.
  const known = services.intents === undefined || (await isPermitted(services, request));
  const actor = known ? request.requestedBy : 'unknown';
  const where = { node: hostname(), platform: platform(), endedAt };
  await new ChaosRunStore(services.platform).finish(
    report,
    experimentJournal(request.experiment, facts, where),
  );
  await recordAuditEvent(services.platform, {
    id: auditScope(),
    actor,
    action: 'chaos.finish',
    object: report.title.slice(0, 200),
    outcome: facts.verdict,
    reason: request.reason,
    ...askedBy(),
    details: {
      faults: facts.faults.map(({ driver, target, endedBy, reason }) => ({
        driver,
        target,
        endedBy,
        reason,
      })),
      residual: report.residual,
      abort: facts.abort?.reason,
    },
  });
  return report;
}
