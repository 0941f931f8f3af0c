import { RateLimitedError } from '../errors/rate-limited-error';
import type { RateLimitHookOptions } from './fastify';
import { rateLimitHeaders } from './headers.pure';
import { problem } from './problem.pure';

/** The parts of Node's and Express's response that are used. */
export interface ResponseLike {
  setHeader(name: string, value: string): unknown;
  statusCode: number;
  end(body: string): unknown;
}

/**
 * The same as `rateLimitHook` for Express, Connect and plain `node:http`.
 *
 * @example
 * app.use(rateLimitMiddleware({ limiter, tenant: (request) => request.get('x-tenant') }));
 */
export function rateLimitMiddleware<R>(
  options: RateLimitHookOptions<R>,
): (request: R, response: ResponseLike, next: (error?: unknown) => void) => void {
  const decide = async (request: R, response: ResponseLike): Promise<boolean> => {
    const tenant = options.tenant(request);
    if (tenant === undefined) return true;
    const resource = options.resource?.(request) ?? 'default';
    const decision = await options.limiter.checkRateLimit(tenant, resource, options.cost?.(request) ?? 1);
    for (const [name, value] of Object.entries(rateLimitHeaders(resource, decision)))
      response.setHeader(name, value);
    if (decision.allowed) return true;
    response.statusCode = 429;
    response.setHeader('content-type', 'application/problem+json');
    response.end(JSON.stringify(problem(new RateLimitedError(tenant, resource, decision))));
    return false;
  };
  return (request, response, next) => {
    decide(request, response).then((goOn) => {
      if (goOn) next();
    }, next);
  };
}
