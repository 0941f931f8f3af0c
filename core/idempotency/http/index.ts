export {
  type IdempotencyMiddleware,
  idempotencyMiddleware,
  type ResponseLike,
  writeResponse,
} from './express';
export { type FastifyReplyLike, type IdempotencyHooks, idempotencyHooks, sendResponse } from './fastify';
export type { IdempotentRequestsOptions, RequestLike } from './idempotent-requests';
export type { IdempotentRun } from './idempotent-run';
export { formatKeyHeader, IDEMPOTENCY_DRAFT } from './key-header.pure';
export { type HttpResponse, jsonResponse } from './response.pure';
