import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { InvalidInputError } from '../core/errors';
import {
  type Interruption,
  type JobProgress,
  type JobQueue,
  type JobRunner,
  scheduledKey,
} from '../core/jobs';
import { atTheBorder } from './at-the-border';
import type { JobActivities } from './types';

/** A quarter of the heartbeat timeout in workflows/tenant-job.ts. A short job sends none. */
const HEARTBEAT_MS = 2_500;

const ref = z.object({
  tenant: z.string().min(1).max(200),
  type: z.string().min(1).max(100),
  key: z.string().min(1).max(300),
});
const wanted = z.object({
  input: z.json(),
  priority: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5)]).optional(),
});
const deferredInput = ref.extend(wanted.shape);
const scheduledInput = ref.omit({ key: true }).extend({
  ...wanted.shape,
  name: z.string().min(1).max(100),
  scheduledAt: z.iso.datetime(),
});
const settleInput = z.object({ job: ref, cancel: z.boolean() });

export interface JobServices {
  readonly runner: Pick<JobRunner, 'run' | 'findEnd' | 'cancel'>;
  readonly queue: Pick<JobQueue, 'submit'>;
  /** Called when a permit may have been freed or taken here. */
  readonly onEnd: () => void;
}

/** The activities of the capability `jobs`. */
export function createJobActivities({ runner, queue, onEnd }: JobServices): JobActivities {
  const step = <T>(work: () => Promise<T>) => atTheBorder(work).finally(onEnd);
  return {
    runJob: (input) =>
      step(async () => {
        const job = parse(ref, input);
        const context = Context.current();
        let progress: JobProgress | undefined;
        const beat = setInterval(() => context.heartbeat(progress), HEARTBEAT_MS);
        try {
          return await runner.run(job, interruptionOf(context), (now) => {
            progress = now;
          });
        } finally {
          clearInterval(beat);
        }
      }),
    settleJob: (input) =>
      step(async () => {
        const { job, cancel } = parse(settleInput, input);
        return cancel ? runner.cancel(job) : runner.findEnd(job);
      }),
    submitScheduledJob: (input) =>
      step(async () => {
        const { name, scheduledAt, ...job } = parse(scheduledInput, input);
        const key = scheduledKey(name, scheduledAt);
        return { key, outcome: await queue.submit({ ...job, key }) };
      }),
    submitDeferredJob: (input) => step(() => queue.submit(parse(deferredInput, input))),
  };
}

/** A worker that stops aborts the same signal as a cancellation; only the details tell them apart. */
function interruptionOf(context: Context): Interruption {
  return {
    signal: context.cancellationSignal,
    reason: () => (context.cancellationDetails?.cancelRequested ? 'cancelled' : 'shutdown'),
  };
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(`This is no job: ${z.prettifyError(parsed.error)}`, {
    hint: 'Submit jobs with `chronawflow jobs submit`; their workflows are started by the platform.',
  });
}
