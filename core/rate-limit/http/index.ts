export { type ResponseLike, rateLimitMiddleware } from './express';
export { type FastifyReplyLike, type RateLimitHookOptions, rateLimitHook } from './fastify';
export { HEADERS_DRAFT, rateLimitHeaders } from './headers.pure';
