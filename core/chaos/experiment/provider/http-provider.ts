import { lookup } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { withTimeLimit } from '../../../time-limit';
import { TargetNotAllowedError } from '../../errors';
import type { AllowList } from '../../targets';
import { isAllowedAddress, isLinkLocal } from '../../targets/address.pure';
import type { Provider } from '../experiment';

export type HttpProvider = Extract<Provider, { readonly type: 'http' }>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when it is JSON. */
  readonly body: unknown;
}

/** A probe that hangs must not hold an experiment whose faults run. */
const DEFAULT_LIMIT_MS = 30_000;
const REDIRECTS = 5;
const MOST_BYTES = 1_048_576;

/**
 * Chaos Toolkit's provider `http`, its values substituted already. Every address, those of redirects too, has to be allowed,
 * and the address that the name leads to is looked at when the connection is made: a name cannot change in between.
 *
 * @throws TargetNotAllowedError, or why there was no answer
 */
export async function callHttp(
  provider: HttpProvider,
  targets: AllowList,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  let failure: unknown;
  for (let attempt = 0; attempt <= (provider.max_retries ?? 0); attempt += 1) {
    try {
      return await follow(provider, targets, signal);
    } catch (error) {
      if (error instanceof TargetNotAllowedError || signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function follow(provider: HttpProvider, targets: AllowList, signal: AbortSignal): Promise<HttpAnswer> {
  let method = (provider.method ?? 'GET').toUpperCase();
  let { url, body, headers } = requestOf(provider, method);
  for (let redirects = 0; ; redirects += 1) {
    checkAddress(url, method, targets);
    const answer = await once(
      url,
      { method, headers, body, timeout: provider.timeout, verify: provider.verify_tls },
      signal,
    );
    const location = answer.headers.location;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) return answer;
    if (redirects === REDIRECTS) throw new Error(`more than ${REDIRECTS} redirects`);
    const next = new URL(location, url);
    // A secret in a header is for the one who was asked.
    if (next.origin !== url.origin) headers = withoutCredentials(headers);
    if (answer.status === 303 || (method === 'POST' && answer.status < 303)) {
      method = 'GET';
      body = undefined;
    }
    url = next;
  }
}

/** @throws TargetNotAllowedError */
export function checkAddress(url: URL, method: string, targets: AllowList): void {
  const allowed = Object.values(targets).flatMap((target) =>
    target.kind === 'http'
      ? [target]
      : target.kind === 'toxiproxy'
        ? [{ url: target.url, methods: TOXIPROXY }]
        : [],
  );
  const place = `${method} ${url.origin}${url.pathname}`;
  if (isLinkLocal(url.hostname))
    throw new TargetNotAllowedError(place, 'link-local addresses are never called.');
  if (!isAllowedAddress(url, method, allowed))
    throw new TargetNotAllowedError(place, 'no target of kind http leads there.');
}

const TOXIPROXY = ['GET', 'POST', 'PATCH', 'DELETE'];

interface Prepared {
  readonly url: URL;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Arguments are the query of a GET; otherwise JSON where the content type says so, else a form. */
function requestOf(provider: HttpProvider, method: string): Prepared {
  const url = new URL(String(provider.url));
  const headers = Object.fromEntries(
    Object.entries(provider.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const given = provider.arguments;
  if (given === undefined || given === null) return { url, body: undefined, headers };
  if (typeof given === 'string') return { url, body: given, headers };
  if (method === 'GET') {
    for (const [name, value] of Object.entries(given)) url.searchParams.append(name, String(value));
    return { url, body: undefined, headers };
  }
  if (headers['content-type']?.includes('json')) return { url, body: JSON.stringify(given), headers };
  const fields = Object.entries(given).map(([name, value]): [string, string] => [name, String(value)]);
  const form = new URLSearchParams(fields).toString();
  return { url, body: form, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } };
}

interface Request extends Omit<Prepared, 'url'> {
  readonly method: string;
  readonly timeout: HttpProvider['timeout'];
  readonly verify: boolean | undefined;
}

function once(
  url: URL,
  { method, headers, body, timeout, verify = true }: Request,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const limit = limitOf(timeout);
  const bounded = withTimeLimit(signal, limit);
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (secure ? requestHttps : requestHttp)(
      url,
      {
        method,
        headers,
        lookup: lookupElsewhere,
        signal: bounded,
        ...(secure ? { rejectUnauthorized: verify } : {}),
      },
      (answer) => read(answer).then(resolve, reject),
    );
    request.once('error', (error) =>
      reject(
        bounded.aborted && !signal.aborted
          ? new Error(`no answer within ${limit} ms`, { cause: error })
          : error,
      ),
    );
    request.end(body);
  });
}

/** Name resolution that gives no link-local address to the connection. */
const lookupElsewhere: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '');
    if (addresses.some(({ address }) => isLinkLocal(address)))
      return callback(new TargetNotAllowedError(hostname, 'its name leads to a link-local address.'), '');
    if (options.all) return callback(null, addresses);
    const [first] = addresses;
    return callback(null, first?.address ?? '', first?.family);
  });
};

function limitOf(timeout: HttpProvider['timeout']): number {
  const seconds = (Array.isArray(timeout) ? timeout : [timeout]).reduce<number>(
    (sum, one) => sum + (Number(one ?? 0) || 0),
    0,
  );
  return seconds > 0 ? Math.min(seconds * 1_000, 300_000) : DEFAULT_LIMIT_MS;
}

async function read(answer: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`the answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
  );
  const json = headers['content-type']?.includes('json') ?? false;
  return { status: answer.statusCode ?? 0, headers, body: json ? parsed(text) : text };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withoutCredentials(headers: Prepared['headers']): Prepared['headers'] {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !['authorization', 'cookie', 'proxy-authorization'].includes(name),
    ),
  );
}
