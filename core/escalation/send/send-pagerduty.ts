import type { EscalationChannel } from '../../../config';
import type { Page } from '../types';
import { postJson } from './post-json';

const ACTIONS = { page: 'trigger', acknowledged: 'acknowledge', resolved: 'resolve' } as const;

/** The severities that the API knows; others are an error to it. */
const SEVERITIES = new Set(['critical', 'error', 'warning', 'info']);

/** Source: PagerDuty, "Events API v2", "Send an alert event". All events of an escalation and level are one incident there. */
export function sendPagerDuty(
  { url, routingKey }: Extract<EscalationChannel, { readonly kind: 'pagerduty' }>,
  { id, kind, level, levelName, alert }: Page,
): Promise<void> {
  const event = { routing_key: routingKey, event_action: ACTIONS[kind], dedup_key: `${id}/${level}` };
  if (kind !== 'page') return postJson('PagerDuty event', url, event);
  return postJson('PagerDuty event', url, {
    ...event,
    payload: {
      summary: alert.summary.slice(0, 1_024),
      source: alert.labels.service ?? alert.source,
      severity: SEVERITIES.has(alert.severity) ? alert.severity : 'error',
      custom_details: {
        level: `${level} (${levelName})`,
        description: alert.description,
        labels: alert.labels,
        acknowledge: `chronawflow escalation ack ${id}`,
      },
    },
    ...(alert.runbook === undefined ? {} : { links: [{ href: alert.runbook, text: 'Runbook' }] }),
  });
}
