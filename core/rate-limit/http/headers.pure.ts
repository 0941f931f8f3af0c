import type { Decision } from '../decision';

/** The revision of the IETF draft whose syntax is used; its fields have changed with every few revisions. */
export const HEADERS_DRAFT = 'draft-ietf-httpapi-ratelimit-headers-10';

/** Structured-field strings are printable ASCII; anything else is left out. Source: RFC 9651, 3.3.3. */
function policyName(resource: string): string {
  const name = resource.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/[\\"]/g, '\\$&');
  return `"${name === '' ? 'default' : name}"`;
}

/**
 * `RateLimit-Policy: "reports";q=100;w=60` and `RateLimit: "reports";r=42;t=17`, whole units and seconds, and
 * `Retry-After` (RFC 9110, 10.2.3) on a refusal that waiting can help.
 */
export function rateLimitHeaders(resource: string, decision: Decision): Record<string, string> {
  const name = policyName(resource);
  // Times are differences of floating-point numbers: a window of a minute must not be told as 61 s.
  const seconds = (ms: number) => Math.max(0, Math.ceil(Math.round(ms * 1_000) / 1e6));
  const headers: Record<string, string> = {
    'RateLimit-Policy': `${name};q=${Math.floor(decision.limit)};w=${Math.max(1, seconds(decision.windowMs))}`,
    RateLimit: `${name};r=${Math.max(0, Math.floor(decision.remaining))};t=${seconds(decision.resetMs)}`,
  };
  if (!decision.allowed && Number.isFinite(decision.retryAfterMs))
    headers['Retry-After'] = String(Math.max(1, seconds(decision.retryAfterMs)));
  return headers;
}
