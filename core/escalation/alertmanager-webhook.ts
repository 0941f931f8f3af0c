import { z } from 'zod';
import { InvalidInputError } from '../errors';
import { parseEscalationInput } from './escalation-input';
import type { EscalationInput } from './types';

/** Version 4 of Alertmanager's webhook, as far as it is used. Source: Alertmanager, "Configuration", `<webhook_config>`. */
const webhook = z.object({
  version: z.literal('4'),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        fingerprint: z.string().min(1),
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()).default({}),
      }),
    )
    .max(10_000),
});

export interface ToldAlert {
  readonly firing: boolean;
  readonly alert: EscalationInput;
}

/** The alerts of one webhook. @throws InvalidInputError */
export function readAlertmanagerWebhook(body: unknown): ToldAlert[] {
  const parsed = webhook.safeParse(body);
  if (!parsed.success)
    throw new InvalidInputError(`This is no webhook of Alertmanager: ${z.prettifyError(parsed.error)}`, {
      hint: 'Version 4 is understood: `webhook_configs` of Alertmanager 0.25 and newer send it.',
    });
  return parsed.data.alerts.map(({ status, fingerprint, labels, annotations }) => {
    const { alertname = 'an alert without a name', severity = 'none' } = labels;
    const { summary = alertname, description, runbook_url: runbook } = annotations;
    return {
      firing: status === 'firing',
      alert: parseEscalationInput({
        fingerprint,
        severity,
        summary: summary === '' ? alertname : summary,
        ...(description === undefined ? {} : { description }),
        ...(runbook === undefined ? {} : { runbook }),
        labels,
        source: 'alertmanager',
      }),
    };
  });
}
