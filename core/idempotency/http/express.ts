import { IdempotentRequests, type IdempotentRequestsOptions, type RequestLike } from './idempotent-requests';
import type { IdempotentRun } from './idempotent-run';
import { NOT_RECORDED, problemResponse } from './problem.pure';
import { type HttpResponse, storeResponse } from './response.pure';

/** The parts of Node's and Express's response that are used. */
export interface ResponseLike {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  setHeader(name: string, value: string): unknown;
  getHeaders(): Readonly<Record<string, unknown>>;
  removeHeader(name: string): void;
  end(...given: unknown[]): unknown;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

export interface IdempotencyMiddleware<R extends RequestLike> {
  (request: R, response: ResponseLike, next: (error?: unknown) => void): void;
  /** The request under its key, for handlers that complete it in their own transaction; undefined when it has none. */
  of(request: R): IdempotentRun | undefined;
}

/**
 * The same as `idempotencyHooks` for Express, Connect and plain `node:http`, after the body was parsed.
 *
 * @example
 * app.use(express.json(), idempotencyMiddleware({ idempotency, tenant: (request) => request.user?.tenant }));
 */
export function idempotencyMiddleware<R extends RequestLike>(
  options: IdempotentRequestsOptions<R>,
): IdempotencyMiddleware<R> {
  const requests = new IdempotentRequests(options);
  const runs = new WeakMap<object, IdempotentRun>();
  const admit = async (request: R, response: ResponseLike): Promise<boolean> => {
    const admission = await requests.admit(request);
    if (admission.kind === 'answer') {
      writeResponse(response, admission.response);
      return false;
    }
    if (admission.kind === 'run') {
      runs.set(request, admission.run);
      follow(admission.run, response);
    }
    return true;
  };
  const middleware = (request: R, response: ResponseLike, next: (error?: unknown) => void) => {
    admit(request, response).then((goOn) => {
      if (goOn) next();
    }, next);
  };
  return Object.assign(middleware, { of: (request: R) => runs.get(request) });
}

/** Sends a recorded response as it is. */
export function writeResponse(response: ResponseLike, { status, headers, body }: HttpResponse): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}

/** Keeps the end of the response back until it is recorded; what cannot be recorded is not given as an answer. */
function follow(run: IdempotentRun, response: ResponseLike): void {
  const { end } = response;
  response.end = (...given) => {
    response.end = end;
    const { statusCode, headersSent } = response;
    // What was written before cannot be read any more.
    const stored = () =>
      storeResponse(statusCode, response.getHeaders(), headersSent ? STREAM : bodyOf(given));
    run.answered(statusCode, stored).then(
      () => response.end(...given),
      () => giveUp(response),
    );
    return response;
  };
  response.once('close', () => {
    // A client that hung up: the handler may go on, and may complete, for as long as its lease lasts.
    if (!response.writableFinished) run.stopRenewing();
    // What the database does not hear lapses with the lease.
    else void run.end().catch(() => undefined);
  });
}

const STREAM = Symbol('stream');

function bodyOf([chunk]: readonly unknown[]): unknown {
  return typeof chunk === 'function' ? undefined : chunk;
}

/** Another request with this key has taken over, or the database is away: the effects of this one are not there. */
function giveUp(response: ResponseLike): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.removeHeader('content-length');
  writeResponse(response, problemResponse(NOT_RECORDED, undefined));
}
