/** A series in promtool's notation, a sample a minute: `0+60x10` is 0, 60, 120 …, 600. */
type Series = Readonly<Record<string, string>>;

type Labels = Readonly<Record<string, string>>;

export interface Case {
  readonly alert: string;
  readonly it: string;
  readonly series: Series;
  /** Minutes, or promtool's notation. */
  readonly at: string;
  /** Labels that the firing alert has; none: it does not fire. */
  readonly fires?: Labels;
}

const call = (outcome: string) =>
  `chronawflow_calls_total{service="tax",operation="rate",outcome="${outcome}"}`;

const calls = (perMinute: Readonly<Record<string, number>>, minutes = 30): Series =>
  Object.fromEntries(
    ['ok', 'error', 'timeout', 'rejected'].map((outcome) => [
      call(outcome),
      `0+${perMinute[outcome] ?? 0}x${minutes}`,
    ]),
  );

const bucket = (le: string) => `chronawflow_call_seconds_bucket{service="tax",operation="rate",le="${le}"}`;

/** Of 1,000 calls a minute so many are faster than 2 s and than 5 s. */
const latency = (below2: number, below5: number): Series => ({
  [bucket('2')]: `0+${below2}x30`,
  [bucket('5')]: `0+${below5}x30`,
  [bucket('10')]: '0+1000x30',
  [bucket('+Inf')]: '0+1000x30',
});

const breaker = (values: string): Series => ({
  'chronawflow_breaker_not_closed_seconds{service="tax",operation="rate",instance="a"}': values,
});

const depth = (values: Readonly<Record<string, number>>, instance = 'a'): Series =>
  Object.fromEntries(
    Object.entries(values).map(([tenant, value]) => [
      `chronawflow_queue_depth{queue="jobs",tenant="${tenant}",instance="${instance}"}`,
      `${value}+0x30`,
    ]),
  );

const TAX = { service: 'tax' };

/** A counter that was 0 and has counted once, before the look at 10 minutes; or long before it. */
const counted = (series: string, once: boolean): Series => ({
  [series]: once ? '0+0x7 1+0x20' : '0+0x1 1+0x30',
});

const fires = (alert: string, it: string, series: Series, at: string, labels: Labels): Case => ({
  alert,
  it,
  series,
  at,
  fires: labels,
});

const silent = (alert: string, it: string, series: Series, at: string): Case => ({ alert, it, series, at });

const happenings = (alert: string, series: string, labels: Labels): Case[] => [
  fires(alert, 'a moment ago', counted(series, true), '10m', labels),
  silent(alert, 'long ago', counted(series, false), '20m'),
];

export const CASES: readonly Case[] = [
  ...happenings('ChronawflowPageFailed', 'chronawflow_escalation_pages_total{level="1",outcome="failed"}', {
    level: '1',
  }),
  ...happenings('ChronawflowEscalationUnanswered', 'chronawflow_escalation_ends_total{state="unanswered"}', {
    state: 'unanswered',
  }),
  ...happenings(
    'ChronawflowContainmentLapsed',
    'chronawflow_containment_ends_total{strategy="read-only",outcome="lapsed"}',
    { strategy: 'read-only' },
  ),
  fires(
    'ChronawflowResidualFaults',
    'one is left',
    { 'chronawflow_chaos_residual_faults{instance="a"}': '1+0x20' },
    '10m',
    { instance: 'a' },
  ),
  silent(
    'ChronawflowResidualFaults',
    'none is left',
    { 'chronawflow_chaos_residual_faults{instance="a"}': '0+0x20' },
    '10m',
  ),
  fires(
    'ChronawflowContainmentStands',
    'one stands',
    { 'chronawflow_containments{strategy="read-only",instance="a"}': '1+0x20' },
    '10m',
    { strategy: 'read-only' },
  ),
  silent(
    'ChronawflowContainmentStands',
    'none stands',
    { 'chronawflow_containments{strategy="read-only",instance="a"}': '0+0x20' },
    '10m',
  ),
  fires('ChronawflowAvailabilityCritical', '94.9 % answered', calls({ ok: 949, error: 51 }), '10m', TAX),
  silent('ChronawflowAvailabilityCritical', '95.1 % answered', calls({ ok: 951, error: 49 }), '10m'),
  fires(
    'ChronawflowAvailabilityCritical',
    'rejected calls are not answered',
    calls({ ok: 900, rejected: 100 }),
    '10m',
    TAX,
  ),
  fires(
    'ChronawflowAvailabilityCritical',
    'nothing is answered, from the first call on',
    calls({ error: 10 }),
    '10m',
    TAX,
  ),
  silent('ChronawflowAvailabilityCritical', 'nobody calls', calls({}), '10m'),
  silent('ChronawflowAvailabilityCritical', 'for less than two minutes', calls({ error: 10 }), '2m'),
  fires('ChronawflowAvailabilityLow', '98.9 % answered', calls({ ok: 989, timeout: 11 }), '15m', TAX),
  silent('ChronawflowAvailabilityLow', '99.1 % answered', calls({ ok: 991, timeout: 9 }), '15m'),
  fires('ChronawflowErrorRateCritical', '5.1 % fail', calls({ ok: 949, error: 40, timeout: 11 }), '10m', TAX),
  silent('ChronawflowErrorRateCritical', '4.9 % fail', calls({ ok: 951, error: 49 }), '10m'),
  silent(
    'ChronawflowErrorRateCritical',
    'rejected calls are no errors',
    calls({ ok: 100, rejected: 900 }),
    '10m',
  ),
  fires('ChronawflowErrorRateHigh', '1.1 % fail', calls({ ok: 989, error: 11 }), '15m', TAX),
  silent('ChronawflowErrorRateHigh', '0.9 % fail', calls({ ok: 991, error: 9 }), '15m'),
  fires('ChronawflowLatencyCritical', '6 % take more than 5 s', latency(900, 940), '10m', TAX),
  silent('ChronawflowLatencyCritical', '4 % take more than 5 s', latency(900, 960), '10m'),
  fires('ChronawflowLatencyHigh', '6 % take more than 2 s', latency(940, 990), '15m', TAX),
  silent('ChronawflowLatencyHigh', '4 % take more than 2 s', latency(960, 990), '15m'),
  fires('ChronawflowBreakerOpen', 'not closed for 61 s', breaker('0 0 61 61'), '2m', {
    service: 'tax',
    operation: 'rate',
  }),
  silent('ChronawflowBreakerOpen', 'not closed for 59 s', breaker('0 0 59 59'), '2m'),
  fires('ChronawflowQueueDeep', 'two tenants together', depth({ a: 600, b: 401 }), '10m', { queue: 'jobs' }),
  silent(
    'ChronawflowQueueDeep',
    'the same queue seen by two processes',
    { ...depth({ a: 600 }), ...depth({ a: 600 }, 'b') },
    '10m',
  ),
  silent('ChronawflowTenantQueueDeep', 'two tenants together', depth({ a: 600, b: 401 }), '10m'),
  fires('ChronawflowTenantQueueDeep', 'the worst of two', depth({ a: 1_001, b: 1_200 }), '10m', {
    queue: 'jobs',
    tenant: 'b',
  }),
  fires(
    'ChronawflowDegradationChanged',
    'the first change',
    { 'chronawflow_degradation_changes_total{level="reduced"}': '0 0 1 1 1' },
    '3m',
    { level: 'reduced' },
  ),
  silent(
    'ChronawflowDegradationChanged',
    'no change',
    { 'chronawflow_degradation_changes_total{level="reduced"}': '3+0x10' },
    '3m',
  ),
  fires(
    'ChronawflowAuditUnsealed',
    'an event that has waited for half a minute, for a minute',
    { 'chronawflow_audit_unsealed_seconds{instance="a"}': '0 31 91 151 211' },
    '3m',
    {},
  ),
  silent(
    'ChronawflowAuditUnsealed',
    'events that are sealed in time',
    { 'chronawflow_audit_unsealed_seconds{instance="a"}': '0 29 0 29 0 29' },
    '5m',
  ),
  fires(
    'ChronawflowAuditSetBack',
    'a witness that has seen another log, at once',
    { 'chronawflow_audit_witness_refuses{witness="w",instance="a"}': '0 1 1' },
    '1m',
    { witness: 'w' },
  ),
  fires(
    'ChronawflowResidualFaults',
    'a fault that is there although its lease is over, at once',
    { 'chronawflow_chaos_residual_faults{instance="a"}': '0 1 1' },
    '1m',
    { instance: 'a' },
  ),
  fires(
    'ChronawflowControllerSilent',
    'seen by one process of two, for half a minute',
    {
      'chronawflow_degradation_controller_silent{scope="platform",instance="a"}': '0 1 1 1 1',
      'chronawflow_degradation_controller_silent{scope="platform",instance="b"}': '0x4',
    },
    '3m',
    { scope: 'platform' },
  ),
  silent(
    'ChronawflowControllerSilent',
    'a sign in time',
    { 'chronawflow_degradation_controller_silent{scope="platform"}': '0x10' },
    '3m',
  ),
  fires(
    'ChronawflowRecoveryPointCreated',
    'the first one',
    { 'chronawflow_recovery_points_created_total{job="w"}': '0 0 1 1 1' },
    '3m',
    { job: 'w' },
  ),
  fires(
    'ChronawflowRateLimitViolated',
    'one violation',
    { 'chronawflow_rate_limit_violations_total{tenant="acme"}': '0 0 1 1 1' },
    '3m',
    { tenant: 'acme' },
  ),
  fires(
    'ChronawflowHealthCheckFailed',
    'one failure',
    { 'chronawflow_health_check_failures_total{component="db"}': '0 0 1 1 1' },
    '3m',
    { component: 'db' },
  ),
  silent(
    'ChronawflowHealthCheckFailed',
    'none for five minutes',
    { 'chronawflow_health_check_failures_total{component="db"}': '0 1 1 1 1 1 1 1 1 1 1' },
    '9m',
  ),
  fires(
    'ChronawflowErrorBudgetBurn14_4x',
    '1.5 % unanswered for an hour',
    calls({ ok: 985, error: 15 }, 90),
    '80m',
    TAX,
  ),
  silent('ChronawflowErrorBudgetBurn14_4x', '1.4 % unanswered', calls({ ok: 986, error: 14 }, 90), '80m'),
  silent(
    'ChronawflowErrorBudgetBurn14_4x',
    'an hour ago, and over',
    { [call('ok')]: '0+900x40 36000+1000x30', [call('error')]: '0+100x40 4000+0x30' },
    '60m',
  ),
  fires(
    'ChronawflowErrorBudgetBurn6x',
    '0.7 % unanswered for 6 hours',
    calls({ ok: 993, error: 7 }, 450),
    '430m',
    TAX,
  ),
  silent('ChronawflowErrorBudgetBurn6x', '0.5 % unanswered', calls({ ok: 995, error: 5 }, 450), '430m'),
];

/** Looked at and sampled every half an hour: three days of minutes would take a minute to compute. */
export const LONG_CASES: readonly Case[] = [
  fires(
    'ChronawflowErrorBudgetBurn1x',
    '0.2 % unanswered for 3 days',
    calls({ ok: 998, error: 2 }, 160),
    '78h',
    TAX,
  ),
  silent('ChronawflowErrorBudgetBurn1x', '0.05 % unanswered', calls({ ok: 9_995, error: 5 }, 160), '78h'),
];
