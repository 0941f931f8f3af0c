import { createEscalationActivities } from '../activities/escalation';
import { EscalationMetrics } from '../activities/escalation-metrics';
import { type AlertReceiver, receiveAlerts } from './alert-receiver';
import type { ControlPart, ControlServices } from './control-part';
import { resolveAlert, startEscalation } from './start-escalation';

/** Then Alertmanager is told to send it again. */
const HAND_OVER_LIMIT_MS = 10_000;

/** Escalation in the controllers' process: its activities, and the receiver of Alertmanager's webhooks. */
export async function escalationPart(services: ControlServices): Promise<ControlPart> {
  const { config, platform, log } = services;
  const { receiver } = config.escalation;
  let listening: AlertReceiver | undefined;
  if (receiver !== undefined) {
    listening = await receiveAlerts(receiver, log, ({ firing, alert }) =>
      services.temporal.withDeadline(Date.now() + HAND_OVER_LIMIT_MS, () =>
        firing ? startEscalation(services, alert) : resolveAlert(services, alert.fingerprint),
      ),
    );
    log.info({ port: listening.port }, 'takes alerts');
  }
  return {
    activities: createEscalationActivities({ config, platform, metrics: new EscalationMetrics() }),
    close: async () => listening?.close(),
  };
}
