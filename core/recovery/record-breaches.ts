import { recordAuditEvent } from '../audit';
import type { RecoveryContext } from './engine';
import type { ComplianceReport } from './report';

/**
 * Writes every objective that is missed into the audit log. A check may run every minute; the log has one event for each
 * tier, objective and hour of the control plane's day.
 */
export async function recordBreaches(
  { platform }: Pick<RecoveryContext, 'platform'>,
  report: ComplianceReport,
  by: { readonly actor: string; readonly tenant?: string },
): Promise<void> {
  const hour = report.checkedAt.slice(0, '2026-11-23T10'.length);
  for (const { tier, objective, message } of report.breaches) {
    const scope = [tier, objective, ...(by.tenant === undefined ? [] : [by.tenant])];
    await recordAuditEvent(platform, {
      id: `compliance/${scope.map(encodeURIComponent).join('/')}/${hour}`,
      actor: by.actor,
      action: 'recovery.objective-missed',
      tenant: by.tenant,
      object: `tier ${tier}`,
      outcome: 'OBJECTIVE_MISSED',
      details: { tier, objective, message },
    });
  }
}
