import { z } from 'zod';
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
}

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
): Omit<Submission, 'backlog'> {
  const parsed = request.safeParse(given);
  if (!parsed.success) throw new InvalidInputError(`The job is wrong: ${z.prettifyError(parsed.error)}`);
  const { tenant, type, key, priority, runAt } = parsed.data;
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
    ...(runAt === undefined ? {} : { runAt }),
  };
}
