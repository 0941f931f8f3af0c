import { askedBy, recordAuditEvent } from '../../audit';
import type { EscalationContext } from '../context';
import { planSteps } from '../plan-steps.pure';
import type { EscalationInput, EscalationPlan } from '../types';

/** Writes an escalation down and says whom it goes to. Called again it changes nothing. */
export async function openEscalation(
  { platform, config }: EscalationContext,
  {
    id,
    workflowId,
    alert,
  }: { readonly id: string; readonly workflowId: string; readonly alert: EscalationInput },
): Promise<EscalationPlan> {
  const steps = planSteps(config.escalation, alert.severity);
  await platform.query(
    `insert into chronawflow.escalation (id, workflow_id, severity, summary, runbook, labels, source, state)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing`,
    [
      id,
      workflowId,
      alert.severity,
      alert.summary,
      alert.runbook ?? null,
      JSON.stringify(alert.labels),
      alert.source,
      steps.length === 0 ? 'noted' : 'open',
    ],
  );
  await recordAuditEvent(platform, {
    id: `escalation/${id}/open`,
    actor: alert.source,
    action: 'escalation.open',
    tenant: alert.labels.tenant,
    object: id,
    outcome: 'ok',
    request: workflowId,
    run: askedBy().run,
    details: { severity: alert.severity, summary: alert.summary, levels: steps.map(({ level }) => level) },
  });
  return { id, steps, acknowledgedForMs: config.escalation.acknowledgedFor };
}
