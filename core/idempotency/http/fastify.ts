import { IdempotentRequests, type IdempotentRequestsOptions, type RequestLike } from './idempotent-requests';
import type { IdempotentRun } from './idempotent-run';
import { type HttpResponse, storeResponse } from './response.pure';

/** The parts of the reply of Fastify 4 and 5 that are used; the package itself is not needed. */
export interface FastifyReplyLike {
  statusCode: number;
  readonly raw: { readonly writableFinished: boolean };
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  getHeaders(): Readonly<Record<string, unknown>>;
  send(payload: unknown): unknown;
}

/** Hooks for a route's options, or for `addHook` one by one. */
export interface IdempotencyHooks<R extends RequestLike> {
  readonly preHandler: (request: R, reply: FastifyReplyLike) => Promise<unknown>;
  readonly onSend: (request: R, reply: FastifyReplyLike, payload: unknown) => Promise<unknown>;
  readonly onResponse: (request: R, reply: FastifyReplyLike) => Promise<void>;
  /** The request under its key, for handlers that complete it in their own transaction; undefined when it has none. */
  of(request: R): IdempotentRun | undefined;
}

/**
 * Carries requests with an `Idempotency-Key` out once, by the IETF draft (IDEMPOTENCY_DRAFT): 400 for a key that is
 * missing or wrong, 409 while the first request runs, 422 for another payload, and the first response again after that.
 *
 * @example
 * const once = idempotencyHooks({ idempotency: new IdempotencyManager(pool), tenant: (request) => request.user.tenant });
 * app.post('/invoices', once, async (request, reply) => {
 *   const response = await inTransaction(pool, async (tx) => {
 *     const invoice = await createInvoice(tx, request.body);
 *     return once.of(request).complete(tx, jsonResponse(201, invoice));
 *   });
 *   return sendResponse(reply, response);
 * });
 */
export function idempotencyHooks<R extends RequestLike>(
  options: IdempotentRequestsOptions<R>,
): IdempotencyHooks<R> {
  const requests = new IdempotentRequests(options);
  const runs = new WeakMap<object, IdempotentRun>();
  return {
    of: (request) => runs.get(request),
    preHandler: async (request, reply) => {
      const admission = await requests.admit(request);
      if (admission.kind === 'run') runs.set(request, admission.run);
      return admission.kind === 'answer' ? sendResponse(reply, admission.response) : undefined;
    },
    onSend: async (request, reply, payload) => {
      const { statusCode } = reply;
      const stored = () => storeResponse(statusCode, reply.getHeaders(), payload);
      await runs.get(request)?.answered(statusCode, stored);
      return payload;
    },
    onResponse: async (request, reply) => {
      const run = runs.get(request);
      // A client that hung up: the handler may go on, and may complete, for as long as its lease lasts.
      if (reply.raw.writableFinished) await run?.end();
      else run?.stopRenewing();
    },
  };
}

/** Sends a recorded response as it is. */
export function sendResponse(
  reply: FastifyReplyLike,
  { status, headers, body }: HttpResponse,
): FastifyReplyLike {
  reply.code(status);
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  reply.send(body);
  return reply;
}
