import type { HealthMonitor } from './health-monitor';

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly body: string;
}

/** What `/healthz` and `/readyz` answer: 200 or 503 with the report; undefined for any other path. */
export function healthAnswer(path: string, monitor: HealthMonitor): HealthAnswer | undefined {
  if (path !== '/healthz' && path !== '/readyz') return undefined;
  const report = monitor.report();
  const well = path === '/healthz' ? report.live : report.ready;
  return { status: well ? 200 : 503, body: `${JSON.stringify(report)}\n` };
}
