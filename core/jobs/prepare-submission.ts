import { z } from 'zod';
import { duration } from '../../config';
import { type AskedBy, askedBy } from '../audit';
import { InvalidInputError } from '../errors';
import { fingerprint } from '../idempotency';
import type { Job } from './define-job';
import { InputTooLargeError } from './errors/input-too-large-error';
import { UnknownJobTypeError } from './errors/unknown-job-type-error';
import type { Submission } from './store/submit-jobs';
import type { JobPriority, JobRef } from './types';

/** A job to be done, as a program asks for it. */
export interface SubmitRequest<Input = unknown> extends JobRef {
  readonly input: Input;
  /** 1 (urgent) to 5; default the type's. */
  readonly priority?: JobPriority;
  /** ISO 8601 with a zone, or a Date; not before this time. */
  readonly runAt?: string | Date;
  /**
   * What a submission is that finds its job there. `result` (the default): the same job, with its result. `reject`: an error,
   * JOB_EXISTS. `{ within }`: also a job of this tenant and type that was submitted so with the same input within this
   * time ('10m', or milliseconds), whatever its key; the handle is that job's.
   */
  readonly dedupe?: 'result' | 'reject' | { readonly within: string | number };
}

/** A request that was checked and completed. */
export type PreparedJob = Omit<Submission, 'backlog'> & {
  readonly dedupe: 'result' | 'reject' | { readonly within: number };
  /** Submissions of many callers go together. */
  readonly askedBy: AskedBy;
};

const bytes = (limit: number) =>
  z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= limit && !text.includes('\0'), {
      message: `has more than ${limit} bytes, or a NUL character; hash what is longer`,
    });

const request = z.object({
  tenant: bytes(200),
  type: z.string(),
  key: bytes(300),
  priority: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5)]).optional(),
  runAt: z
    .union([z.iso.datetime({ offset: true }), z.date().transform((date) => date.toISOString())])
    .optional(),
  dedupe: z.union([z.enum(['result', 'reject']), z.strictObject({ within: duration })]).default('result'),
});

/**
 * Checks a request and completes it.
 *
 * @throws InvalidInputError, UnknownJobTypeError, InputTooLargeError
 */
export function prepareSubmission(
  jobs: ReadonlyMap<string, Job>,
  given: SubmitRequest,
  maxInput: number,
): PreparedJob {
  const parsed = request.safeParse(given);
  if (!parsed.success) throw new InvalidInputError(`The job is wrong: ${z.prettifyError(parsed.error)}`);
  const { tenant, type, key, priority, runAt, dedupe } = parsed.data;
  const job = jobs.get(type);
  if (job === undefined) throw new UnknownJobTypeError(type, [...jobs.keys()]);
  const input = job.check(given.input);
  const size = Buffer.byteLength(JSON.stringify(input));
  if (size > maxInput) throw new InputTooLargeError(type, size, maxInput);
  return {
    tenant,
    type,
    key,
    input,
    fingerprint: fingerprint(input),
    priority: priority ?? job.policy.priority,
    dedupe,
    askedBy: askedBy(),
    ...(runAt === undefined ? {} : { runAt }),
  };
}
