import type { ChaosRunEntry, StoredLease } from '../../../core/chaos';
import type { ChaosReport } from '../../../core/chaos/types';
import { colors as pc } from '../colors';

/** How an experiment ended. */
export function chaosPage(report: ChaosReport): string[] {
  const good = report.verdict === 'passed';
  return [
    `${good ? pc.green(report.verdict) : pc.red(report.verdict)}  ${report.title}`,
    ...(report.error === undefined ? [] : [`${report.error.code}: ${report.error.message}`]),
    ...(report.abort === undefined
      ? []
      : [`Aborted: ${report.abort.reason}; rolled back within ${report.abort.rolledBackAfterMs} ms.`]),
    ...report.faults.map(({ driver, target, endedBy, reason }) =>
      endedBy === ''
        ? `${driver} on ${target}: STILL THERE: ${reason}`
        : `${driver} on ${target}: ${reason}, by ${endedBy}`,
    ),
    ...(report.before === undefined
      ? []
      : [`Steady state before: ${report.before.steady_state_met ? 'met' : 'not met'}`]),
    ...(report.after === undefined
      ? []
      : [
          `Steady state after: ${report.after.steady_state_met ? `met, ${report.recoveredAfterMs ?? 0} ms after the faults` : 'not met'}`,
        ]),
    ...[...report.runs, ...report.rollbacks]
      .filter(({ status }) => status === 'failed')
      .map(({ activity, exception }) => `${activity.type} ${activity.name} failed: ${exception?.[0] ?? ''}`),
    ...(report.load ?? []).map(
      ({ window, requests, failed, p50, p95, p99 }) =>
        `Load ${window}: ${requests} requests, ${failed} failed, p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`,
    ),
    `Residual faults: ${report.residual}`,
  ];
}

export function faultsPage(faults: readonly StoredLease[]): string[] {
  if (faults.length === 0) return ['No fault is injected.'];
  return faults.map(
    ({ id, driver, target, host, deadline, overdue }) =>
      `${id}  ${driver} on ${target} (${host}), until ${deadline}${overdue ? pc.red('  OVERDUE') : ''}`,
  );
}

export function runsPage(runs: readonly ChaosRunEntry[]): string[] {
  if (runs.length === 0) return ['No experiment has run.'];
  return runs.map(
    ({ id, state, startedAt, faults }) => `${startedAt}  ${state.padEnd(10)}  ${id}  ${faults.join(', ')}`,
  );
}
