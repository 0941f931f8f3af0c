import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { hasCode } from '../../core/errors';
import type { CleanUp } from './clean-up';

export interface TakenPage {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Everything that people would have been told: an HTTP server and an SMTP server that keep what they are sent. */
export interface PageSink {
  readonly url: string;
  readonly smtpPort: number;
  readonly pages: TakenPage[];
  readonly mails: string[];
  /** By path: the status that is answered instead of 200, or `hang` for no answer at all. */
  readonly answers: Map<string, number | 'hang'>;
  /** Paths of the pages, in order; other events have the event behind a colon. */
  told(): string[];
}

export async function startPageSink(cleanUp: CleanUp): Promise<PageSink> {
  const pages: TakenPage[] = [];
  const mails: string[] = [];
  const answers = new Map<string, number | 'hang'>();
  const http = createServer((request, response) => {
    const path = request.url ?? '';
    buffer(request).then((text) => {
      pages.push({ path, headers: request.headers, body: JSON.parse(text.toString('utf8')) });
      const answer = answers.get(path) ?? 200;
      if (answer !== 'hang') response.writeHead(answer).end();
    }, leftInTheMiddle);
  });
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onData: (stream, _session, done) => {
      buffer(stream).then(
        (mail) => {
          mails.push(mail.toString('utf8'));
          done();
        },
        (error) => done(error),
      );
    },
  });
  smtp.on('error', leftInTheMiddle);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  cleanUp.add(
    () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  );
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  cleanUp.add(() => new Promise<void>((resolve) => smtp.close(resolve)));
  return {
    url: `http://127.0.0.1:${portOf(http.address())}`,
    smtpPort: portOf(smtp.server.address()),
    pages,
    mails,
    answers,
    told: () =>
      pages.map(({ path, body }) => {
        const event = body.event ?? body.event_action;
        return event === 'page' || event === 'trigger' ? path : `${path}:${String(event)}`;
      }),
  };
}

/** A sender that was killed, or had waited for long enough, tells nobody anything. */
function leftInTheMiddle(error: unknown): void {
  if (!hasCode(error, 'ECONNRESET') && !hasCode(error, 'EPIPE')) throw error;
}

function portOf(address: string | { readonly port: number } | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server listens on no port');
}
