import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  connect,
  constants,
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { IssuedCertificate } from './tls-authority';

export interface TemporalBehindTls {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * What stands before a Temporal in other people's hands: it takes only clients with a certificate of its authority that show
 * the API key, and hands their calls on to a server that knows neither.
 */
export async function temporalBehindTls(
  upstream: string,
  options: IssuedCertificate & { readonly caFile: string; readonly apiKey?: string },
): Promise<TemporalBehindTls> {
  const sessions = new Set<Http2Session>();
  const remember = <T extends Http2Session>(session: T): T => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session)).on('error', () => undefined);
    return session;
  };
  const behind = remember(connect(`http://${upstream}`));
  const server = createSecureServer({
    cert: readFileSync(options.certFile),
    key: readFileSync(options.keyFile),
    ca: readFileSync(options.caFile),
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('session', remember);
  server.on('stream', (stream: ServerHttp2Stream, { authorization, ...headers }: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    if (options.apiKey !== undefined && authorization !== `Bearer ${options.apiKey}`) {
      // UNAUTHENTICATED. Source: gRPC over HTTP/2, "Trailers-Only".
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'no key' },
        { endStream: true },
      );
      return;
    }
    const { ':scheme': _, ':authority': __, ...rest } = headers;
    const call = behind.request({ ...rest, ':scheme': 'http', ':authority': upstream });
    call.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    call.on('response', (answer, flags) => {
      const ends = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(answer, { endStream: ends, waitForTrailers: !ends });
    });
    let trailers: IncomingHttpHeaders = {};
    call.on('trailers', (found) => {
      trailers = found;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(call);
    call.pipe(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new RangeError('the proxy has no port');
  return {
    address: `127.0.0.1:${bound.port}`,
    close: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
