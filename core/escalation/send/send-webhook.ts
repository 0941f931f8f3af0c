import type { EscalationChannel } from '../../../config';
import type { Page } from '../types';
import { postJson } from './post-json';

/** Posts the page as JSON; `Idempotency-Key` is the same for every attempt. */
export function sendWebhook(
  { url, token }: Extract<EscalationChannel, { readonly kind: 'webhook' }>,
  { id, key, kind, level, levelName, alert }: Page,
): Promise<void> {
  const body = {
    event: kind,
    escalation: id,
    level,
    levelName,
    alert,
    acknowledge: `chronawflow escalation ack ${id}`,
  };
  return postJson('webhook', url, body, {
    'idempotency-key': key,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
}
