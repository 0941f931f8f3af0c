import { type LoadSheddingOptions, queued, refusalAnswer, ServedRequest } from './options';

/** The parts of the reply of Fastify 4 and 5 that are used; the package itself is not needed. */
export interface FastifyReplyLike {
  statusCode: number;
  readonly raw: { readonly writableFinished: boolean };
  header(name: string, value: string): unknown;
  code(status: number): unknown;
  send(payload: unknown): unknown;
}

export interface LoadSheddingHooks<R> {
  readonly onRequest: (request: R, reply: FastifyReplyLike) => Promise<unknown>;
  /** Only needed with `queueWrite`, which reads the body. */
  readonly preHandler: (request: R, reply: FastifyReplyLike) => Promise<unknown>;
  readonly onResponse: (request: R, reply: FastifyReplyLike) => Promise<void>;
}

/**
 * Hooks that turn away what the level sheds, with 503, `Retry-After` and a problem document, and that tell the controllers how
 * the rest was served.
 *
 * @example
 * const shedding = loadSheddingHooks({ degradation, classify: (request) => request.routeOptions.config.load });
 * app.addHook('onRequest', shedding.onRequest);
 * app.addHook('onResponse', shedding.onResponse);
 */
export function loadSheddingHooks<R extends object>(options: LoadSheddingOptions<R>): LoadSheddingHooks<R> {
  const { degradation, classify, queueWrite } = options;
  const served = new WeakMap<R, ServedRequest>();
  const refuse = (reply: FastifyReplyLike, { status, headers, body }: ReturnType<typeof refusalAnswer>) => {
    reply.code(status);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.send(JSON.stringify(body));
    return reply;
  };
  const toQueue = new WeakMap<R, ReturnType<typeof refusalAnswer>>();
  return {
    onRequest: async (request, reply) => {
      const classified = classify(request);
      if (classified === undefined) return undefined;
      const admission = degradation.admit(classified, classified.tier);
      if (admission.admitted) {
        served.set(request, new ServedRequest(degradation, classified.tier));
        return undefined;
      }
      const answer = refusalAnswer(admission);
      if (admission.why !== 'read-only' || queueWrite === undefined) return refuse(reply, answer);
      toQueue.set(request, answer);
      return undefined;
    },
    preHandler: async (request, reply) => {
      const answer = toQueue.get(request);
      if (answer === undefined) return undefined;
      const taken = await queued(options, request);
      if (taken === undefined) return refuse(reply, answer);
      reply.code(taken.status);
      reply.send(taken.body);
      return reply;
    },
    onResponse: async (request, reply) => {
      served.get(request)?.ended(reply.statusCode, reply.raw.writableFinished);
    },
  };
}
