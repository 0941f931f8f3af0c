import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { EscalationConfig } from '../config';
import { ChronawflowError, InvalidInputError } from '../core/errors';
import { readAlertmanagerWebhook, type ToldAlert } from '../core/escalation';
import { type Listening, listen, readBody } from '../core/http-server';

type ReceiverConfig = NonNullable<EscalationConfig['receiver']>;

export type AlertReceiver = Listening;

/** Alertmanager groups alerts; a group of thousands is far below this. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Takes Alertmanager's webhooks: `POST /alertmanager` with the token as bearer. It answers 200 when every alert of it has been
 * handed over, and 503 when one could not be, so that Alertmanager sends all of it again.
 *
 * @param take hands one alert over; called again with the same it changes nothing
 */
export async function receiveAlerts(
  { host, port, token }: ReceiverConfig,
  log: Logger,
  take: (told: ToldAlert) => Promise<void>,
): Promise<AlertReceiver> {
  const server = createServer((request, response) => {
    answer(request, token, take).then(
      (status) => response.writeHead(status).end(),
      (error: unknown) => {
        const wrong = error instanceof ChronawflowError && error.kind === 'usage';
        log.warn({ err: error }, wrong ? 'a webhook makes no sense' : 'alerts could not be handed over');
        response.writeHead(wrong ? 400 : 503, wrong ? {} : { 'retry-after': '5' }).end();
      },
    );
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  // What is being handed over needs its connection to Temporal to the end.
  return listen(server, { port, host }, 'answered');
}

async function answer(
  request: IncomingMessage,
  token: string,
  take: (told: ToldAlert) => Promise<void>,
): Promise<number> {
  if (request.url?.split('?')[0] !== '/alertmanager') return 404;
  if (request.method !== 'POST') return 405;
  if (!isToken(request.headers.authorization, token)) return 401;
  const body = await readBody(request, MOST_BYTES);
  if (body === undefined) return 413;
  for (const told of readAlertmanagerWebhook(parse(body))) await take(told);
  return 200;
}

/** In the same time, whatever differs. */
function isToken(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new InvalidInputError('The body is no JSON.', { cause });
  }
}
