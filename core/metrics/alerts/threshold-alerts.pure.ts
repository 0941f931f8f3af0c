import { METRIC } from '../names';
import type { Alert } from './alert';

/** Everything below looks at the last five minutes: twenty scrapes of the usual 15 s. */
const WINDOW = '5m';

const calls = (outcomes: string) => `sum by (service) (rate(${METRIC.calls}{${outcomes}}[${WINDOW}]))`;
/** Share of the calls asked for that were answered; rejected ones, errors and timeouts were not. */
const availability = `${calls('outcome="ok"')} / ${calls('')}`;
/** Share of the calls tried that failed; rejected ones were not tried. */
const errorRate = `${calls('outcome=~"error|timeout"')} / ${calls('outcome!="rejected"')}`;
const p95 = `histogram_quantile(0.95, sum by (service, le) (rate(${METRIC.callSeconds}_bucket[${WINDOW}])))`;
/** Every process may show the same queue: the largest counts, not their sum. */
const depthByTenant = `max by (queue, tenant) (${METRIC.queueDepth})`;
const happened = (metric: string, by: string) => `sum by (${by}) (increase(${metric}[${WINDOW}])) > 0`;

const percent = '{{ $value | humanizePercentage }}';

/** What stands for itself: thresholds, in the order of their severity. */
export const THRESHOLD_ALERTS: readonly Alert[] = [
  {
    name: 'ChronawflowAvailabilityCritical',
    severity: 'critical',
    expr: `${availability} < 0.95`,
    for: '2m',
    summary: `Only ${percent} of the calls to {{ $labels.service }} are answered`,
    description:
      'Answered calls ÷ calls asked for, over 5 minutes, below 95 % for 2 minutes. Look at its breakers first.',
  },
  {
    name: 'ChronawflowErrorRateCritical',
    severity: 'critical',
    expr: `${errorRate} > 0.05`,
    for: '2m',
    summary: `${percent} of the calls to {{ $labels.service }} fail`,
    description:
      'Errors and timeouts ÷ calls tried, over 5 minutes, above 5 % for 2 minutes. Rejected calls do not count.',
  },
  {
    name: 'ChronawflowLatencyCritical',
    severity: 'critical',
    expr: `${p95} > 5`,
    for: '2m',
    summary: 'One call in twenty to {{ $labels.service }} takes {{ $value | humanizeDuration }} or more',
    description: 'P95 of tried calls, over 5 minutes, above 5 s for 2 minutes.',
  },
  {
    name: 'ChronawflowBreakerOpen',
    severity: 'critical',
    expr: `max by (service, operation) (${METRIC.breakerNotClosedSeconds}) > 60`,
    summary:
      'The breaker of {{ $labels.service }} {{ $labels.operation }} has not been closed for {{ $value | humanizeDuration }}',
    description:
      'Seconds since the breaker was last closed, above 60: one that goes between open and half-open counts as open.',
  },
  {
    name: 'ChronawflowResidualFaults',
    severity: 'critical',
    expr: `max by (instance) (${METRIC.chaosResidual}) > 0`,
    summary: '{{ $value }} injected faults are still there although their lease is over',
    description:
      'The inverse fails, or nothing runs that could carry it out. `chronawflow chaos abort --all` on that host; docs/resilience/chaos.md says for each fault how to end it by hand.',
  },
  {
    name: 'ChronawflowAuditSetBack',
    severity: 'critical',
    expr: `max by (witness) (${METRIC.auditWitnessRefuses}) > 0`,
    summary: 'Witness {{ $labels.witness }} has seen another audit log than this one',
    description:
      'The control plane was set back, or its log was written anew. Where operators sign, no intent is accepted. ' +
      'docs/operations/control-plane-backup.md.',
  },
  {
    name: 'ChronawflowAuditUnsealed',
    severity: 'critical',
    expr: `max(${METRIC.auditUnsealedSeconds}) > 30`,
    for: '1m',
    summary: 'An audit event has waited {{ $value | humanizeDuration }} to be sealed',
    description:
      'A sealer that runs needs less than a second; until then nobody could prove that an event was changed. ' +
      'Look at `chronawflow audit seal`, and for a transaction of the control plane that is open for long.',
  },
  {
    name: 'ChronawflowControllerSilent',
    severity: 'critical',
    expr: `max by (scope) (${METRIC.degradationSilent}) > 0`,
    for: '30s',
    summary: 'Nobody watches over the degradation level of {{ $labels.scope }}',
    description:
      'No sign of its controller for longer than degradation.silentAfter. Processes keep the last level and decide by ' +
      'themselves; nothing is switched off or on any more. Look at `chronawflow worker --control`, Temporal and the platform database.',
  },
  {
    name: 'ChronawflowAvailabilityLow',
    severity: 'warning',
    expr: `${availability} < 0.99`,
    for: '5m',
    summary: `Only ${percent} of the calls to {{ $labels.service }} are answered`,
    description: 'Answered calls ÷ calls asked for, over 5 minutes, below 99 % for 5 minutes.',
  },
  {
    name: 'ChronawflowErrorRateHigh',
    severity: 'warning',
    expr: `${errorRate} > 0.01`,
    for: '5m',
    summary: `${percent} of the calls to {{ $labels.service }} fail`,
    description: 'Errors and timeouts ÷ calls tried, over 5 minutes, above 1 % for 5 minutes.',
  },
  {
    name: 'ChronawflowLatencyHigh',
    severity: 'warning',
    expr: `${p95} > 2`,
    for: '5m',
    summary: 'One call in twenty to {{ $labels.service }} takes {{ $value | humanizeDuration }} or more',
    description: 'P95 of tried calls, over 5 minutes, above 2 s for 5 minutes.',
  },
  {
    name: 'ChronawflowQueueDeep',
    severity: 'warning',
    expr: `sum by (queue) (${depthByTenant}) > 1000`,
    for: '5m',
    summary: '{{ $value }} jobs wait in {{ $labels.queue }}',
    description: 'All tenants together, above 1,000 for 5 minutes.',
  },
  {
    name: 'ChronawflowTenantQueueDeep',
    severity: 'warning',
    expr: `topk by (queue) (1, ${depthByTenant}) > 1000`,
    for: '5m',
    summary: '{{ $value }} jobs of tenant {{ $labels.tenant }} wait in {{ $labels.queue }}',
    description: 'The worst tenant of the queue, above 1,000 for 5 minutes.',
  },
  {
    name: 'ChronawflowPageFailed',
    severity: 'critical',
    expr: happened(`${METRIC.pages}{outcome="failed"}`, 'level'),
    summary: 'A page to level {{ $labels.level }} could not be delivered',
    description: 'At least one failed try in the last 5 minutes. Other channels and levels are told.',
  },
  {
    name: 'ChronawflowEscalationUnanswered',
    severity: 'critical',
    expr: happened(`${METRIC.escalationEnds}{state="unanswered"}`, 'state'),
    summary: 'Nobody has answered an escalation',
    description: 'All its levels were told, and nobody acknowledged, in the last 5 minutes.',
  },
  {
    name: 'ChronawflowContainmentLapsed',
    severity: 'warning',
    expr: happened(`${METRIC.containmentEnds}{outcome="lapsed"}`, 'strategy'),
    summary: 'A containment ({{ $labels.strategy }}) ended because nobody renewed it',
    description: 'Its workflow was terminated: its leases ended it before its time, in the last 5 minutes.',
  },
  {
    name: 'ChronawflowContainmentStands',
    severity: 'info',
    expr: `max by (strategy) (${METRIC.containments}) > 0`,
    summary: '{{ $value }} containments stand ({{ $labels.strategy }})',
    description: 'A tenant, a breaker or a queue is contained now.',
  },
  {
    name: 'ChronawflowDegradationChanged',
    severity: 'info',
    expr: happened(METRIC.degradationChanges, 'level'),
    summary: 'The degradation level changed to {{ $labels.level }}',
    description: 'At least one change in the last 5 minutes.',
  },
  {
    name: 'ChronawflowRecoveryPointCreated',
    severity: 'info',
    expr: happened(METRIC.recoveryPoints, 'job'),
    summary: 'A recovery point was created',
    description: 'At least one in the last 5 minutes.',
  },
  {
    name: 'ChronawflowRateLimitViolated',
    severity: 'info',
    expr: happened(METRIC.limiterViolations, 'tenant'),
    summary: 'Tenant {{ $labels.tenant }} is held back for violating its rate limit',
    description: 'At least one violation in the last 5 minutes.',
  },
  {
    name: 'ChronawflowHealthCheckFailed',
    severity: 'info',
    expr: happened(METRIC.healthCheckFailures, 'component'),
    summary: 'Health checks of {{ $labels.component }} fail',
    description: 'At least one failed check in the last 5 minutes; flaps are damped in readiness, not here.',
  },
];
