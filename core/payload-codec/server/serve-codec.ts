import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ChronawflowError, InvalidInputError } from '../../errors';
import { type Listening, listen, readBody } from '../../http-server';
import type { CodecAuthority, Reader } from './codec-authority';
import type { CodecService } from './codec-service';
import { LOGIN_PAGE, sessionCookie, tokenInCookie } from './login-page';
import { formatPayloads, payloadsJson } from './payload-json';

export interface CodecServerOptions {
  readonly port: number;
  readonly host: string;
  /** The Web UI's, such as `https://temporal.example.com`; browsers let no other page read the answers. */
  readonly origin: string;
  readonly namespace: string;
  readonly onError: (error: unknown) => void;
}

export type CodecServer = Listening;

/** A page of history in the Web UI has a few hundred payloads; Temporal takes 2 MB in each, and base64 adds a third. */
const MAX_BODY = 16 * 1024 * 1024;

/** Names the tenant of payloads that are to be encrypted: `temporal --codec-header X-Chronawflow-Tenant=acme`. */
const TENANT_HEADER = 'x-chronawflow-tenant';

const ALLOWED_HEADERS = `authorization, content-type, x-namespace, ${TENANT_HEADER}`;

/**
 * `POST /decode` and `/encode` as Temporal's Web UI and CLI ask for them, `GET /` to sign in where the Web UI passes no token,
 * `GET /healthz`. Port 0 takes a free one.
 */
export async function serveCodec(
  service: CodecService,
  authority: CodecAuthority,
  options: CodecServerOptions,
): Promise<CodecServer> {
  const server = createServer((request, response) => {
    answer(request, response, service, authority, options).catch((error: unknown) => {
      if (error instanceof ChronawflowError)
        return refuse(response, statusOf(error), error.code, error.message);
      options.onError(error);
      refuse(response, 500, 'UNEXPECTED', 'The codec server has failed; its log says why.');
    });
  });
  server.requestTimeout = 30_000;
  return listen(server, options, 'answered');
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  service: CodecService,
  authority: CodecAuthority,
  { origin, namespace }: CodecServerOptions,
): Promise<void> {
  const path = request.url?.split('?')[0] ?? '';
  const asking = request.headers.origin;
  response.setHeader('cache-control', 'no-store');
  response.setHeader('vary', 'origin');
  if (asking === origin) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-headers', ALLOWED_HEADERS);
    response.setHeader('access-control-allow-methods', 'POST');
  }
  const route = `${request.method} ${path}`;
  if (route === 'GET /healthz') return end(response, 200, 'text/plain', 'ok\n');
  if (route === 'GET /') return end(response, 200, 'text/html; charset=utf-8', LOGIN_PAGE);
  if (route === 'POST /login') return logIn(request, response, authority);
  if (path !== '/decode' && path !== '/encode')
    return refuse(response, 404, 'NOT_FOUND', `There is no ${path}.`);
  if (request.method === 'OPTIONS') return end(response, asking === origin ? 204 : 403, 'text/plain', '');
  if (request.method !== 'POST') return refuse(response, 405, 'INVALID_INPUT', 'Only POST.');
  // A page of another origin would act with the cookie of whoever looks at it.
  if (asking !== undefined && asking !== origin)
    return refuse(response, 403, 'ORIGIN_REFUSED', `${asking} is not the Web UI.`);

  const reader = await readerOf(request, authority);
  if (reader === undefined) {
    response.setHeader('www-authenticate', 'Bearer');
    return refuse(response, 401, 'TOKEN_UNKNOWN', 'A token of payloads.codecServer.tokens is needed.');
  }
  const named = request.headers['x-namespace'];
  // Temporal's command line leaves it empty where no namespace was named.
  if (named !== undefined && named !== '' && named !== namespace)
    throw new InvalidInputError(`Payloads of namespace ${String(named)} are not ours; ours is ${namespace}.`);
  const { payloads } = parse(await bodyOf(request, response));
  const tenant = request.headers[TENANT_HEADER];
  const done =
    path === '/decode'
      ? await service.decode(reader, payloads)
      : await service.encode(reader, typeof tenant === 'string' ? tenant : undefined, payloads);
  end(response, 200, 'application/json', formatPayloads(done));
}

async function readerOf(request: IncomingMessage, authority: CodecAuthority): Promise<Reader | undefined> {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer ?? tokenInCookie(request.headers.cookie);
  return token === undefined ? undefined : authority.readerOf(token);
}

async function logIn(
  request: IncomingMessage,
  response: ServerResponse,
  authority: CodecAuthority,
): Promise<void> {
  const token = new URLSearchParams(await bodyOf(request, response)).get('token')?.trim() ?? '';
  const reader = await authority.readerOf(token);
  if (reader === undefined) return refuse(response, 401, 'TOKEN_UNKNOWN', 'This token is not known.');
  response.setHeader('set-cookie', sessionCookie(token));
  end(response, 200, 'text/plain', `Signed in as ${reader.name}.\n`);
}

function parse(body: string): ReturnType<typeof payloadsJson.parse> {
  try {
    return payloadsJson.parse(JSON.parse(body));
  } catch (cause) {
    throw new InvalidInputError('The request has not the form of temporal.api.common.v1.Payloads as JSON.', {
      cause,
    });
  }
}

async function bodyOf(request: IncomingMessage, response: ServerResponse): Promise<string> {
  const body = await readBody(request, MAX_BODY);
  if (body !== undefined) return body;
  // What is left of it would be taken for the next request.
  response.setHeader('connection', 'close');
  throw new InvalidInputError(`A request has ${MAX_BODY} bytes at the most.`);
}

function statusOf({ kind }: ChronawflowError): number {
  return kind === 'usage' ? 400 : kind === 'refused' ? 403 : 500;
}

/** Temporal's Web UI and CLI show `message`. */
function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  end(response, status, 'application/json', JSON.stringify({ code, message }));
}

function end(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType }).end(body);
}
