import type { RateLimitedError } from '../errors/rate-limited-error';

/** The body of a 429. Source: RFC 9457. */
export function problem(error: RateLimitedError): Readonly<Record<string, unknown>> {
  return {
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    code: error.code,
    detail: error.hint,
  };
}
