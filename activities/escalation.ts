import { Context } from '@temporalio/activity';
import {
  type EscalationContext,
  escalationId,
  noteEscalation,
  openEscalation,
  page,
  parseEscalationInput,
  silencedForMs,
  tellEnd,
} from '../core/escalation';
import { atTheBorder } from './at-the-border';
import type { EscalationMetrics } from './escalation-metrics';
import { withStepControl } from './step-control';
import type { EscalationActivities } from './types';

export interface EscalationServices extends EscalationContext {
  readonly metrics: EscalationMetrics;
}

/** The activities of the capability `escalation`. */
export function createEscalationActivities(services: EscalationServices): EscalationActivities {
  const { metrics, platform } = services;
  return {
    openEscalation: (value) =>
      atTheBorder(() => {
        const alert = parseEscalationInput(value);
        const { workflowId = 'none', runId = 'none' } = Context.current().info.workflowExecution ?? {};
        return openEscalation(services, { id: escalationId(workflowId, runId), workflowId, alert });
      }),
    silencedFor: (alert) => atTheBorder(() => silencedForMs(platform, alert.labels)),
    page: ({ ref, alert }) =>
      atTheBorder(async () => {
        const counted = metrics.page(ref.level);
        try {
          await withStepControl(() => page(services, ref, alert));
          counted('sent');
        } catch (error) {
          counted('failed');
          throw error;
        }
      }),
    tellEnd: ({ id, kind, alert }) =>
      atTheBorder(() => withStepControl(() => tellEnd(services, id, kind, alert))),
    noteEscalation: (report) =>
      atTheBorder(async () => {
        if (await noteEscalation(services, report)) metrics.ended(report.state);
      }),
  };
}
