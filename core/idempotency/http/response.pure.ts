import type { Json } from '../types';

/** A response as it is kept: what is repeated is exactly what was sent. */
export interface HttpResponse {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The record's result. A response that was a stream or too large is known to have been given, and no more. */
export type StoredResponse =
  | { readonly kind: 'response'; readonly response: HttpResponse }
  | { readonly kind: 'lost' };

/** Fields that are part of the answer; those about the connection, the moment or the client are not kept. */
const KEPT = new Set(['content-type', 'content-language', 'location', 'etag', 'last-modified', 'link']);

/** The most that is kept of one response, in bytes. */
const LONGEST_BODY = 1_048_576;

/** Answers that another try may change: the request is not over with them. Source: RFC 9110, 15.5; RFC 6585, 4; RFC 8470, 5.2. */
const TEMPORARY = new Set([408, 409, 423, 425, 429]);

/** Whether a response ends the request, so that it is given again, or the request may be tried again. */
export function isFinal(status: number): boolean {
  return status >= 200 && status < 500 && !TEMPORARY.has(status);
}

export function storeResponse(
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: unknown,
): StoredResponse {
  const text = textOf(body);
  if (text === undefined || Buffer.byteLength(text) > LONGEST_BODY) return { kind: 'lost' };
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    KEPT.has(name.toLowerCase()) && value !== undefined ? [[name.toLowerCase(), String(value)] as const] : [],
  );
  return { kind: 'response', response: { status, headers: Object.fromEntries(kept), body: text } };
}

/** A response of JSON, as a handler gives it to `complete`. */
export function jsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body ?? null),
  };
}

/** Undefined when what was recorded is no response: the key belongs to something else. */
export function readStored(result: Json): StoredResponse {
  if (typeof result !== 'object' || result === null || !('response' in result)) return { kind: 'lost' };
  const { response } = result;
  if (typeof response !== 'object' || response === null || !('status' in response)) return { kind: 'lost' };
  const { status, headers, body } = response;
  if (typeof status !== 'number' || typeof body !== 'string' || typeof headers !== 'object')
    return { kind: 'lost' };
  const texts = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)] as const);
  return { kind: 'response', response: { status, headers: Object.fromEntries(texts), body } };
}

/** Text goes as it is, bytes when they are UTF-8; a stream cannot be read twice. */
function textOf(body: unknown): string | undefined {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (!(body instanceof Uint8Array)) return undefined;
  const text = Buffer.from(body).toString('utf8');
  return Buffer.from(text, 'utf8').equals(body) ? text : undefined;
}
