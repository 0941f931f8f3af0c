export { loadSheddingMiddleware, type ResponseLike } from './express';
export { type FastifyReplyLike, type LoadSheddingHooks, loadSheddingHooks } from './fastify';
export type { Classified, LoadSheddingOptions, QueuedAnswer } from './options';
