import type { EscalationChannel } from '../../config';
import { messageOf } from '../errors';
import type { EscalationContext } from './context';
import { PageFailedError } from './errors/page-failed-error';
import { LEVEL_NAMES } from './plan-steps.pure';
import { sendEmail } from './send/send-email';
import { sendPagerDuty } from './send/send-pagerduty';
import { sendWebhook } from './send/send-webhook';
import type { EscalationInput, Page, PageRef } from './types';

/**
 * Tells one channel of a level, once as far as that can be known (README.md, invariants 2 and 3).
 *
 * @throws PageFailedError
 */
export async function page(ctx: EscalationContext, ref: PageRef, alert: EscalationInput): Promise<void> {
  const { platform, config } = ctx;
  const level = config.escalation.levels.find((one) => one.level === ref.level);
  const channel = level?.notify[ref.channel];
  if (channel === undefined)
    throw new PageFailedError('page', `level ${ref.level} has no channel ${ref.channel + 1} any more`, {
      retryable: false,
    });
  const at = [ref.id, ref.step, ref.channel];
  const { rows } = await platform.query<{ state: string }>(
    `insert into chronawflow.escalation_page as p (escalation, step, channel, level, kind, state)
     values ($1, $2, $3, $4, $5, 'sending')
     on conflict (escalation, step, channel) do update
       set attempts = p.attempts + 1, state = case p.state when 'sent' then 'sent' else 'sending' end
     returning state`,
    [...at, ref.level, channel.kind],
  );
  if (rows[0]?.state === 'sent') return;
  const what: Page = {
    id: ref.id,
    key: `${ref.id}/${ref.step}/${ref.channel}`,
    kind: 'page',
    level: ref.level,
    levelName: level?.name ?? LEVEL_NAMES[ref.level] ?? `level ${ref.level}`,
    alert,
  };
  const note = (state: 'sent' | 'failed', text?: string) =>
    platform.query(
      `update chronawflow.escalation_page set state = $4, note = $5, at = clock_timestamp()
       where escalation = $1 and step = $2 and channel = $3`,
      [...at, state, text ?? null],
    );
  try {
    await send(ctx, channel, what);
  } catch (error) {
    await note('failed', error instanceof PageFailedError ? messageOf(error) : 'it failed');
    throw error;
  }
  await note('sent');
}

/**
 * Tells everybody who was paged, and can be told, that it is taken or over; also who may have been: a page is noted as sent a moment
 * after it has arrived. Once each is enough, so failures only reject.
 */
export async function tellEnd(
  ctx: EscalationContext,
  id: string,
  kind: 'acknowledged' | 'resolved',
  alert: EscalationInput,
): Promise<void> {
  const { rows } = await ctx.platform.query<{ level: number; channel: number }>(
    `select distinct level, channel from chronawflow.escalation_page
     where escalation = $1 and state in ('sending', 'sent') and kind <> 'email' order by 1, 2`,
    [id],
  );
  for (const { level, channel: number } of rows) {
    const found = ctx.config.escalation.levels.find((one) => one.level === level);
    const channel = found?.notify[number];
    if (channel === undefined) continue;
    const levelName = found?.name ?? LEVEL_NAMES[level] ?? `level ${level}`;
    await send(ctx, channel, { id, key: `${id}/${kind}/${level}/${number}`, kind, level, levelName, alert });
  }
}

function send({ config }: EscalationContext, channel: EscalationChannel, what: Page): Promise<void> {
  switch (channel.kind) {
    case 'webhook':
      return sendWebhook(channel, what);
    case 'email':
      return sendEmail(channel.to, config.escalation.smtp, what);
    case 'pagerduty':
      return sendPagerDuty(channel, what);
  }
}
