import { type LoadSheddingOptions, queued, refusalAnswer, ServedRequest } from './options';

/** The parts of Node's and Express's response that are used. */
export interface ResponseLike {
  statusCode: number;
  readonly writableFinished: boolean;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * The same as `loadSheddingHooks` for Express, Connect and plain `node:http`; with `queueWrite` after the body was parsed.
 *
 * @example
 * app.use(loadSheddingMiddleware({ degradation, classify: (request) => ({ feature: request.path.split('/')[1] }) }));
 */
export function loadSheddingMiddleware<R>(
  options: LoadSheddingOptions<R>,
): (request: R, response: ResponseLike, next: (error?: unknown) => void) => void {
  const { degradation, classify } = options;
  const decide = async (request: R, response: ResponseLike): Promise<boolean> => {
    const classified = classify(request);
    if (classified === undefined) return true;
    const admission = degradation.admit(classified, classified.tier);
    if (admission.admitted) {
      const served = new ServedRequest(degradation, classified.tier);
      response.once('close', () => served.ended(response.statusCode, response.writableFinished));
      return true;
    }
    const taken = admission.why === 'read-only' ? await queued(options, request) : undefined;
    const { status, headers, body } = taken ? { ...JSON_HEADERS, ...taken } : refusalAnswer(admission);
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(JSON.stringify(body));
    return false;
  };
  return (request, response, next) => {
    decide(request, response).then((goOn) => {
      if (goOn) next();
    }, next);
  };
}

const JSON_HEADERS = { headers: { 'content-type': 'application/json' } } as const;
