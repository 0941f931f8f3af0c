import { Context } from '@temporalio/activity';
import { askedBy, recordAuditEvent } from '../core/audit';
import {
  applyPart,
  type ContainmentContext,
  type ContainmentInput,
  ContainmentLimitError,
  endContainment,
  notePart,
  prepareContainment,
  recordedOwner,
  renewContainment,
  resourceOf,
  tenantOf,
  undoPart,
} from '../core/containment';
import { ChronawflowError } from '../core/errors';
import type { EscalationInput } from '../core/escalation';
import type { IntentVerifier } from '../core/operators';
import { atTheBorder } from './at-the-border';
import { auditScope } from './audit-scope';
import { authorizeContainment, releaseSigned } from './containment-intents';
import type { ContainmentMetrics } from './containment-metrics';
import { withStepControl } from './step-control';
import type { ContainmentActivities } from './types';

const RUNBOOK = 'docs/incident-response/alerts.md#chronawflowcontainmentlimit';

export interface ContainmentServices extends ContainmentContext {
  readonly metrics: ContainmentMetrics;
  /** Where operators sign. */
  readonly intents?: IntentVerifier;
  /** Tells people of what a rule may not decide by itself. */
  askPerson(alert: EscalationInput): Promise<void>;
}

/** The activities of the capability `containment`. */
export function createContainmentActivities(services: ContainmentServices): ContainmentActivities {
  const { platform, metrics, intents } = services;
  return {
    prepareContainment: (input) =>
      atTheBorder(async () => {
        try {
          const workflowId = workflowIdOf();
          if (intents === undefined) return await prepareContainment(services, input, workflowId);
          const authorize = (checked: ContainmentInput) =>
            authorizeContainment(services, intents, checked, workflowId);
          return { ...(await prepareContainment(services, input, workflowId, authorize)), signed: true };
        } catch (error) {
          if (error instanceof ContainmentLimitError) await services.askPerson(questionOf(input, error));
          throw error;
        }
      }),
    applyContainmentPart: ({ containment, part, input }) =>
      atTheBorder(async () => {
        const { id, leaseMs, stopsCore } = containment;
        // Where operators sign, what was verified is what stands written; this input may be anybody's.
        const owner =
          intents === undefined
            ? { id, leaseMs, stopsCore, reason: input.reason, requestedBy: input.requestedBy }
            : await recordedOwner(services, id, part);
        const { requestedBy } = owner;
        try {
          const outcome = await withStepControl((control) => applyPart(services, owner, part, control));
          await audit(services, id, { ...input, requestedBy }, 'containment.apply', outcome.state, {
            resource: resourceOf(part),
            stopsCore: owner.stopsCore,
          });
          metrics.applied(input.target.strategy);
          return outcome;
        } catch (error) {
          if (error instanceof ChronawflowError && !error.retryable) {
            await notePart(platform, id, resourceOf(part), 'failed', error.code);
            await audit(services, id, { ...input, requestedBy }, 'containment.apply', error.code, {
              resource: resourceOf(part),
            });
          }
          throw error;
        }
      }),
    renewContainment: (id) =>
      atTheBorder(() => withStepControl((control) => renewContainment(services, id, control))),
    releaseContainment: ({ id, release }) =>
      atTheBorder(async () => {
        if (intents !== undefined) await releaseSigned(services, intents, id, release);
      }),
    undoContainmentPart: ({ containment, part }) =>
      atTheBorder(() => withStepControl((control) => undoPart(services, containment.id, part, control))),
    finishContainment: ({ containment, input, report }) =>
      atTheBorder(async () => {
        const { outcome, by = input.requestedBy, notices } = report;
        await audit(services, containment.id, { ...input, requestedBy: by }, 'containment.end', outcome, {
          parts: report.parts,
          notices,
        });
        // A retry after a lost answer finds it closed and does not count it twice.
        if (await endContainment(platform, containment.id, outcome, by))
          metrics.ended(input.target.strategy, outcome);
      }),
  };
}

/** One question, however many tenants the rule finds: they are named by the refused runs. */
function questionOf(input: unknown, { message, hint }: ContainmentLimitError): EscalationInput {
  const tenant = String(Reflect.get(Object(Reflect.get(Object(input), 'target')), 'tenant'));
  return {
    fingerprint: 'containment-limit',
    severity: 'critical',
    summary: `Tenant ${tenant} is noisy, and the rule may not contain one more`,
    description: [message, hint].join(' '),
    runbook: RUNBOOK,
    labels: { alertname: 'ChronawflowContainmentLimit', tenant },
    source: 'containment',
  };
}

async function audit(
  { platform }: ContainmentServices,
  id: string,
  input: ContainmentInput,
  action: string,
  outcome: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await recordAuditEvent(platform, {
    id: `${auditScope()}/${outcome}`,
    actor: input.requestedBy,
    action,
    tenant: tenantOf(input.target),
    object: id,
    outcome,
    ...askedBy(),
    details: { ...details, reason: input.reason, strategy: input.target.strategy },
  });
}

function workflowIdOf(): string {
  return Context.current().info.workflowExecution?.workflowId ?? 'none';
}
