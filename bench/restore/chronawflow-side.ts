import type { RestoreReport } from '../../core/recovery/types';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import type { MishapKind } from './mishaps';
import type { Scene } from './scene';
import type { SideResult } from './step-timer';

/** As an operator asks for it, with a policy that asks nobody else; from the request to the report. */
export async function restoreWithChronawflow(
  { chronawflow }: Pick<Scene, 'chronawflow'>,
  tenant: string,
  target: string,
  mishap: MishapKind,
): Promise<SideResult & { readonly report: RestoreReport }> {
  const started = performance.now();
  const run = await chronawflow.recovery.restoreTenant({
    tenant,
    to: target,
    requestedBy: 'benchmark',
    approvals: 0,
    tenantDeleted: mishap === 'lost',
  });
  const report = await run.result();
  const totalMs = performance.now() - started;
  requireMerged(report);
  return { totalMs, report, steps: report.steps.map(({ phase, ms }) => ({ name: phase, ms })) };
}

export function requireMerged(report: RestoreReport): void {
  if (report.outcome === 'merged') return;
  throw new MeasurementInvalidError(
    `Chronawflow ended with ${report.outcome} instead of a merge (${report.workflowId})`,
  );
}
