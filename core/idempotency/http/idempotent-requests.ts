import { createHash } from 'node:crypto';
import { IdempotencyKeyReusedError } from '../errors/idempotency-key-reused-error';
import type { IdempotencyManager } from '../idempotency-manager';
import type { IdempotencyRef, StartAnswer } from '../types';
import { IdempotentRun } from './idempotent-run';
import { parseKeyHeader } from './key-header.pure';
import { problemResponse, type Refusal } from './problem.pure';
import { type HttpResponse, readStored } from './response.pure';

/** What is used of a request of Fastify, Express and `node:http`. */
export interface RequestLike {
  readonly method?: string;
  readonly url?: string;
  /** Express: the whole path, where routers cut `url`. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body?: unknown;
}

export interface IdempotentRequestsOptions<R extends RequestLike> {
  readonly idempotency: IdempotencyManager;
  /** Whose request it is, from the credentials and not from the client's word; undefined lets it through as it is. */
  readonly tenant: (request: R) => string | undefined;
  /** Methods that carry a key; default POST and PATCH. */
  readonly methods?: readonly string[];
  /** Whether a request without a key is refused (400); default true. */
  readonly required?: boolean;
  /** Take keys without quotes as well, as many clients send them; default false. */
  readonly acceptBare?: boolean;
  /** Which operation a key is for; default method and path. */
  readonly scope?: (request: R) => string;
  /** What has to be the same when a key comes again; default query and parsed body. */
  readonly payload?: (request: R) => unknown;
  /** Address of the page that explains keys to the API's users: the problem documents' `type`. */
  readonly documentation?: string;
}

/** What is to become of a request. */
export type Admission =
  | { readonly kind: 'as-it-is' }
  | { readonly kind: 'answer'; readonly response: HttpResponse }
  | { readonly kind: 'run'; readonly run: IdempotentRun };

const LONGEST_SCOPE = 300;

/** Decides about requests by their Idempotency-Key; how a framework is told is its adapter's business. */
export class IdempotentRequests<R extends RequestLike> {
  private readonly methods: ReadonlySet<string>;

  constructor(private readonly options: IdempotentRequestsOptions<R>) {
    this.methods = new Set(options.methods ?? ['POST', 'PATCH']);
  }

  /** @throws what the database throws, and InvalidInputError for a payload that JSON cannot keep */
  async admit(request: R): Promise<Admission> {
    const tenant = this.options.tenant(request);
    if (tenant === undefined || !this.methods.has(request.method ?? '')) return { kind: 'as-it-is' };
    const field = request.headers['idempotency-key'];
    if (field === undefined) {
      return (this.options.required ?? true) ? this.refuse(MISSING) : { kind: 'as-it-is' };
    }
    const key =
      typeof field === 'string' ? parseKeyHeader(field, this.options.acceptBare ?? false) : undefined;
    if (key === undefined) return this.refuse(INVALID);
    const scope = this.options.scope?.(request) ?? operationOf(request);
    const ref = { tenant, scope: scope.length > LONGEST_SCOPE ? digest(scope) : scope, key };
    return this.start(ref, this.options.payload?.(request) ?? payloadOf(request));
  }

  private async start(ref: IdempotencyRef, payload: unknown): Promise<Admission> {
    const answer = await this.options.idempotency.startExecution(ref, payload).catch(reused);
    switch (answer.kind) {
      case 'reused':
        return this.refuse(REUSED);
      case 'running':
        return this.refuse(CONCURRENT);
      case 'started':
        return { kind: 'run', run: new IdempotentRun(this.options.idempotency, answer.execution) };
      case 'completed': {
        const stored = readStored(answer.result);
        if (stored.kind === 'lost') return this.refuse(LOST);
        const { headers, ...rest } = stored.response;
        return {
          kind: 'answer',
          response: { ...rest, headers: { ...headers, 'idempotency-replayed': 'true' } },
        };
      }
    }
  }

  private refuse(refusal: Refusal): Admission {
    return { kind: 'answer', response: problemResponse(refusal, this.options.documentation) };
  }
}

const MISSING: Refusal = {
  status: 400,
  code: 'IDEMPOTENCY_KEY_MISSING',
  detail: 'This operation needs an Idempotency-Key, such as "8e03978e-40d5-43dd-bc93-6894a57f9324".',
};
const INVALID: Refusal = {
  status: 400,
  code: 'IDEMPOTENCY_KEY_INVALID',
  detail: 'An Idempotency-Key is one string in quotes, of 1 to 255 printable ASCII characters.',
};
const REUSED: Refusal = {
  status: 422,
  code: 'IDEMPOTENCY_KEY_REUSED',
  detail: 'This key was used for another request. A new request needs a new key.',
};
const CONCURRENT: Refusal = {
  status: 409,
  code: 'EXECUTION_RUNNING',
  detail: 'A request with this key is being carried out. Ask again for its response.',
  retryAfterSeconds: 1,
};
const LOST: Refusal = {
  status: 409,
  code: 'RESPONSE_NOT_KEPT',
  detail: 'The request with this key was carried out; its response was too large to be kept.',
};

function reused(error: unknown): StartAnswer | { readonly kind: 'reused' } {
  if (error instanceof IdempotencyKeyReusedError) return { kind: 'reused' };
  throw error;
}

function operationOf(request: RequestLike): string {
  return `${request.method} ${addressOf(request)[0]}`;
}

/** Bytes stand for themselves by their digest. */
function payloadOf(request: RequestLike): unknown {
  const { body } = request;
  const [, query] = addressOf(request);
  return { query, body: body instanceof Uint8Array ? { sha256: digest(body) } : (body ?? null) };
}

function addressOf({ originalUrl, url = '' }: RequestLike): [path: string, query: string] {
  const address = originalUrl ?? url;
  const mark = address.indexOf('?');
  return mark < 0 ? [address, ''] : [address.slice(0, mark), address.slice(mark + 1)];
}

function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
