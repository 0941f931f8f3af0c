import { METRIC } from '../names';
import type { Alert, Recording, Severity } from './alert';

/** What is promised: the share of calls answered, over thirty days. */
export interface Objective {
  /** Such as 0.999. */
  readonly availability: number;
}

interface Burn {
  readonly factor: number;
  readonly long: string;
  readonly short: string;
  readonly for: string;
  readonly severity: Severity;
  readonly spends: string;
}

/**
 * A long window says that it matters, a short one that it is still going on. Source: Google, "The Site Reliability
 * Workbook", chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
 */
const BURNS: readonly Burn[] = [
  {
    factor: 14.4,
    long: '1h',
    short: '5m',
    for: '2m',
    severity: 'critical',
    spends: '2 % of the budget in an hour',
  },
  {
    factor: 6,
    long: '6h',
    short: '30m',
    for: '15m',
    severity: 'critical',
    spends: '5 % of the budget in 6 hours',
  },
  {
    factor: 1,
    long: '3d',
    short: '6h',
    for: '1h',
    severity: 'warning',
    spends: '10 % of the budget in 3 days',
  },
];

const recordingName = (window: string) => `service:chronawflow_unanswered:ratio_rate${window}`;

/** The share of unanswered calls in each window that a burn-rate alert looks at. */
export function burnRecordings(): Recording[] {
  const windows = [...new Set(BURNS.flatMap(({ long, short }) => [short, long]))];
  return windows.map((window) => ({
    name: recordingName(window),
    expr:
      `1 - (sum by (service) (rate(${METRIC.calls}{outcome="ok"}[${window}]))` +
      ` / sum by (service) (rate(${METRIC.calls}[${window}])))`,
  }));
}

export function burnAlerts(objective: Objective): Alert[] {
  const budget = Number((1 - objective.availability).toPrecision(6));
  const percent = Number((objective.availability * 100).toPrecision(6));
  return BURNS.map((burn) => {
    const threshold = Number((burn.factor * budget).toPrecision(6));
    return {
      name: `ChronawflowErrorBudgetBurn${String(burn.factor).replace('.', '_')}x`,
      severity: burn.severity,
      expr: `${recordingName(burn.long)} > ${threshold} and ${recordingName(burn.short)} > ${threshold}`,
      for: burn.for,
      summary: `{{ $labels.service }} spends its error budget at ${burn.factor} times the rate that lasts 30 days`,
      description:
        `Objective: ${percent} % of the calls answered over 30 days. More than ${burn.factor} × the budget's rate over ` +
        `${burn.long} and over ${burn.short}: ${burn.spends}.`,
    };
  });
}
