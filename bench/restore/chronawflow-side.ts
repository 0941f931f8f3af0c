import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationRun } from '../../client';
import type { RestoreReport } from '../../core/recovery/types';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import type { MishapKind } from './mishaps';
import type { Scene } from './scene';
import type { SideResult } from './step-timer';

/** Many times what the slowest restore should take: a step that is tried again and again would never end. */
const LIMIT_MS = 15 * 60_000;

/** As an operator asks for it, with a policy that asks nobody else; from the request to the report. */
export async function restoreWithChronawflow(
  scene: Pick<Scene, 'chronawflow' | 'worker'>,
  tenant: string,
  target: string,
  mishap: MishapKind,
): Promise<SideResult> {
  const started = performance.now();
  const run = await scene.chronawflow.recovery.restoreTenant({
    tenant,
    to: target,
    requestedBy: 'benchmark',
    approvals: 0,
    tenantDeleted: mishap === 'lost',
  });
  const report = await mergedReport(scene, run);
  const totalMs = performance.now() - started;
  const timings = Object.entries(report.merge?.timings ?? {});
  return {
    totalMs,
    steps: report.steps.map(({ phase, ms }) => ({ name: phase, ms })),
    inside: { step: 'merging', parts: timings.map(([name, ms]) => ({ name, ms })) },
  };
}

/** Waits for the end. @throws MeasurementInvalidError when it is no merge, or none comes. */
export async function mergedReport(
  { worker }: Pick<Scene, 'worker'>,
  run: OperationRun,
): Promise<RestoreReport> {
  const late = new AbortController();
  const tooLate = async () => {
    await sleep(LIMIT_MS, undefined, { signal: late.signal });
    const { phase } = await run.status();
    throw new MeasurementInvalidError(
      `Chronawflow is still ${phase} after ${LIMIT_MS / 60_000} minutes (${run.workflowId})\n${await worker.complaints()}`,
    );
  };
  try {
    const report = await Promise.race([run.result(), tooLate()]);
    if (report.outcome === 'merged') return report;
    throw new MeasurementInvalidError(
      `Chronawflow ended with ${report.outcome} instead of a merge (${run.workflowId})`,
    );
  } finally {
    late.abort();
  }
}
