import type { AdaptiveRateLimiter } from '../adaptive-rate-limiter';
import { RateLimitedError } from '../errors/rate-limited-error';
import { rateLimitHeaders } from './headers.pure';
import { problem } from './problem.pure';

/** The parts of Fastify 4 and 5 that are used; the package itself is not needed. */
export interface FastifyReplyLike {
  header(name: string, value: string): unknown;
  code(status: number): unknown;
  send(payload: unknown): unknown;
}

export interface RateLimitHookOptions<R> {
  readonly limiter: AdaptiveRateLimiter;
  /** Whose limit it is; undefined lets the request through unlimited. */
  readonly tenant: (request: R) => string | undefined;
  /** Default: `default`. */
  readonly resource?: (request: R) => string;
  /** Units, or the name of an operation; default 1. */
  readonly cost?: (request: R) => number | string;
}

/**
 * An `onRequest` hook: sets the RateLimit fields on every answer and answers 429 with a problem document (RFC 9457) when
 * the limit is reached.
 *
 * @example
 * app.addHook('onRequest', rateLimitHook({ limiter, tenant: (request) => request.headers['x-tenant'] }));
 */
export function rateLimitHook<R>(
  options: RateLimitHookOptions<R>,
): (request: R, reply: FastifyReplyLike) => Promise<unknown> {
  return async (request, reply) => {
    const tenant = options.tenant(request);
    if (tenant === undefined) return undefined;
    const resource = options.resource?.(request) ?? 'default';
    const decision = await options.limiter.checkRateLimit(tenant, resource, options.cost?.(request) ?? 1);
    for (const [name, value] of Object.entries(rateLimitHeaders(resource, decision)))
      reply.header(name, value);
    if (decision.allowed) return undefined;
    reply.header('content-type', 'application/problem+json');
    reply.code(429);
    reply.send(JSON.stringify(problem(new RateLimitedError(tenant, resource, decision))));
    return reply;
  };
}
