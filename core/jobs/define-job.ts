import type { PoolClient } from 'pg';
import { z } from 'zod';
import { duration } from '../../config';
import { InvalidInputError } from '../errors';
import { canonicalJson, type Json } from '../idempotency';
import type { BreakerKey, Protected } from '../protection';
import type { BatchSteps } from './run-batch';
import type { JobPolicy, JobPriority, JobRef } from './types';

/** What a job's code is given besides its input. */
export interface JobContext extends JobRef {
  /** From 1. */
  readonly attempt: number;
  /** Aborted by cancellation, timeout, a lost permit and the worker's shutdown. Code that ignores it is fenced. */
  readonly signal: AbortSignal;
  /**
   * Says how far the attempt is, for `status` and Temporal's heartbeat: both have it within some seconds. Ask as often as you
   * like, it costs nothing.
   */
  progress(done: number, total?: number): void;
  /** The same for every attempt, for systems outside that know idempotency keys. */
  idempotencyKey(step: string): string;
  /**
   * Runs `work` in one transaction of the application's database, together with the record that it was done: its effects
   * happen once, whatever happens to the attempt. A later attempt gets the recorded result, which has to be something
   * that JSON can keep.
   *
   * @throws JobFencedError when the permit was lost; nothing was committed
   */
  once<T>(step: string, work: (tx: PoolClient) => Promise<T>): Promise<T>;
  /**
   * Calls an outside service behind this tenant's breaker for it, bounded in time and measured (section `protection` of
   * the configuration). The call's signal is aborted with the attempt's.
   *
   * @throws BreakerOpenError, TimeoutExceededError: both let the attempt be tried again later; the call's own error
   */
  call<T>(target: CallTarget, call: Protected<T>): Promise<T>;
}

/** What is called, such as `{ service: 'bank', operation: 'collect' }`. */
export type CallTarget = Pick<BreakerKey, 'service' | 'operation'>;

/** What the runner gives to every job: the context, and what batches are made of. */
export type RunContext = JobContext & BatchSteps<PoolClient>;

/** How long, as `'5m'`-style text or milliseconds. */
type Time = string | number;

export interface JobOptions<Schema extends z.ZodType> {
  /** Letters, digits, `.`, `_` and `-`; at most 100. */
  readonly type: string;
  readonly input: Schema;
  readonly retry?: {
    readonly maxAttempts?: number;
    readonly initial?: Time;
    readonly factor?: number;
    readonly max?: Time;
    readonly nonRetryable?: readonly string[];
  };
  readonly timeout?: Time;
  readonly concurrency?: JobPolicy['concurrency'];
  readonly priority?: JobPriority;
  /** Never shed when the tenant's backlog is full. Default false. */
  readonly core?: boolean;
  /** @returns something that JSON can keep, or nothing */
  run(ctx: RunContext, input: z.output<Schema>): Promise<unknown>;
}

/** A type of job as the worker and the client know it; `Input` is what a submitter gives. */
export interface Job<Input = unknown> {
  readonly type: string;
  readonly policy: JobPolicy;
  /** The input as it is stored. @throws InvalidInputError */
  check(input: Input): Json;
  /** Parses and runs. @throws InvalidInputError, and whatever the code throws */
  run(ctx: RunContext, input: unknown): Promise<Json>;
}

const options = z.object({
  type: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'a type has 1 to 100 letters, digits, dots, _ and -'),
  retry: z
    .strictObject({
      maxAttempts: z.number().int().min(1).default(5),
      initial: duration.prefault('1s'),
      factor: z.number().min(1).default(2),
      max: duration.prefault('5m'),
      nonRetryable: z.array(z.string()).default([]),
    })
    .prefault({}),
  core: z.boolean().default(false),
  timeout: duration.prefault('5m'),
  concurrency: z
    .strictObject({
      perTenant: z.number().int().min(1).optional(),
      total: z.number().int().min(1).optional(),
    })
    .default({}),
  priority: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5)]).default(3),
});

/**
 * A type of job.
 *
 * @example
 * export const invoiceRun = defineJob({
 *   type: 'invoice-run',
 *   input: z.object({ month: z.string() }),
 *   run: async (ctx, { month }) =>
 *     ctx.once('post', async (tx) => ({ invoices: await postInvoices(tx, ctx.tenant, month) })),
 * });
 *
 * @throws InvalidInputError when an option is wrong
 */
export function defineJob<Schema extends z.ZodType>(given: JobOptions<Schema>): Job<z.input<Schema>> {
  const parsed = options.safeParse(given);
  if (!parsed.success) {
    throw new InvalidInputError(`defineJob(${given.type}): ${z.prettifyError(parsed.error)}`);
  }
  const { type, retry, timeout, concurrency, priority, core } = parsed.data;
  const parse = (input: unknown): z.output<Schema> => {
    const result = given.input.safeParse(input);
    if (result.success) return result.data;
    throw new InvalidInputError(`The input of a job ${type} is wrong: ${z.prettifyError(result.error)}`, {
      details: { type },
    });
  };
  return {
    type,
    policy: {
      retry: {
        maxAttempts: retry.maxAttempts,
        initialMs: retry.initial,
        factor: retry.factor,
        maxMs: retry.max,
        nonRetryable: retry.nonRetryable,
      },
      timeoutMs: timeout,
      concurrency,
      priority,
      core,
    },
    check: (input) => {
      parse(input);
      return JSON.parse(canonicalJson(input ?? null));
    },
    run: async (ctx, input) => JSON.parse(canonicalJson((await given.run(ctx, parse(input))) ?? null)),
  };
}
