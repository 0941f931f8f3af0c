import { ChronawflowError } from '../../errors';
import type { Admission, Request } from '../process/admission';
import type { Degradation } from '../process/degradation';

/** What a request is to the level. */
export interface Classified extends Request {
  /** Of the tenant, where tiers have levels of their own. */
  readonly tier?: string;
}

/** What is answered to a write that was put into the durable queue instead, such as 202 with the job's key. */
export interface QueuedAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface LoadSheddingOptions<R> {
  readonly degradation: Pick<Degradation, 'admit' | 'note'>;
  /** Undefined lets the request through and does not count it, such as a health check. */
  readonly classify: (request: R) => Classified | undefined;
  /**
   * Takes a write while writes are refused. Without it, where it returns undefined, and where it fails (the durable queue is not to
   * be reached), the answer is 503. A ChronawflowError that is not `retryable` is the caller's mistake: it is the application's to answer.
   */
  readonly queueWrite?: (request: R) => Promise<QueuedAnswer | undefined>;
  /** What `queueWrite` has thrown where 503 is answered. */
  readonly onError?: (error: unknown) => void;
}

/** Puts a refused write into the durable queue; undefined where that cannot be done now. */
export async function queued<R>(
  { queueWrite, onError }: Pick<LoadSheddingOptions<R>, 'queueWrite' | 'onError'>,
  request: R,
): Promise<QueuedAnswer | undefined> {
  try {
    return await queueWrite?.(request);
  } catch (error) {
    if (error instanceof ChronawflowError && !error.retryable) throw error;
    onError?.(error);
    return undefined;
  }
}

/** One request that was let in, from its beginning to its answer. */
export class ServedRequest {
  private readonly startedAt = performance.now();

  constructor(
    private readonly degradation: Pick<Degradation, 'note'>,
    private readonly tier: string | undefined,
  ) {}

  /** @param finished false when the client was gone before the answer was. */
  ended(status: number, finished: boolean): void {
    const outcome = finished && status < 500 ? 'answered' : 'failed';
    this.degradation.note(outcome, performance.now() - this.startedAt, this.tier);
  }
}

type Refusal = Extract<Admission, { readonly admitted: false }>;

const DETAILS = {
  off: 'This is switched off for the moment, so that what matters most keeps working.',
  shed: 'The service takes only part of the requests for the moment; try again later.',
  'read-only': 'Nothing can be changed for the moment; reading works.',
} as const;

/** Status, headers and body of a refusal. Sources: RFC 9110, 10.2.3 (Retry-After), RFC 9457 (problem details). */
export function refusalAnswer({ why, level, retryAfterMs }: Refusal) {
  return {
    status: 503,
    headers: {
      'content-type': 'application/problem+json',
      'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))),
    },
    body: {
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      code: why === 'read-only' ? 'WRITES_REFUSED' : 'LOAD_SHED',
      detail: DETAILS[why],
      level,
    },
  } as const;
}
