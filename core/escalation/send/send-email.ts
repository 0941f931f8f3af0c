import { createHash } from 'node:crypto';
import type { EscalationConfig } from '../../../config';
import { PageFailedError } from '../errors/page-failed-error';
import type { Page } from '../types';

/** Loaded with the first mail: most processes send none. */
const load: (name: 'nodemailer') => typeof import('nodemailer') = require;

const LIMIT_MS = 10_000;

/** Sends the page by SMTP; its `Message-ID` is the same for every attempt. @throws PageFailedError */
export async function sendEmail(
  to: readonly string[],
  smtp: EscalationConfig['smtp'],
  { id, key, level, levelName, alert }: Page,
): Promise<void> {
  if (smtp === undefined)
    throw new PageFailedError('e-mail', '`escalation.smtp` is not set', { retryable: false });
  const { host, port, secure, user, password, from } = smtp;
  const transport = load('nodemailer').createTransport({
    ...{ host, port, secure },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: LIMIT_MS,
    greetingTimeout: LIMIT_MS,
    socketTimeout: LIMIT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from,
      to: [...to],
      subject: `[${alert.severity}] ${alert.summary}`.replaceAll(/\s+/g, ' ').slice(0, 200),
      messageId: `<${createHash('sha256').update(key).digest('hex').slice(0, 32)}@chronawflow>`,
      text: textOf(id, level, levelName, alert),
    });
  } catch (error) {
    // The message names hosts and addresses.
    const code: unknown = error instanceof Error ? Reflect.get(error, 'responseCode') : undefined;
    const refused = typeof code === 'number';
    throw new PageFailedError('e-mail', refused ? `the server answered ${code}` : 'nobody answered', {
      // 5xx: the server will never take it. Source: RFC 5321, 4.2.1.
      retryable: !(refused && code >= 500),
    });
  } finally {
    transport.close();
  }
}

function textOf(
  id: string,
  level: number,
  levelName: string,
  { summary, description, runbook, labels }: Page['alert'],
): string {
  return [
    summary,
    ...(description === undefined ? [] : ['', description]),
    '',
    ...Object.entries(labels).map(([name, value]) => `${name}: ${value}`),
    '',
    ...(runbook === undefined ? [] : [`Runbook: ${runbook}`]),
    `You are level ${level} (${levelName}). When nobody takes it, the next level is told.`,
    `Take it: chronawflow escalation ack ${id}`,
  ].join('\n');
}
