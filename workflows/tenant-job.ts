import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { JobActivities } from '../activities/types';
import type { ErrorFacts } from '../core/errors/error-facts.pure';
import type { AttemptEnd, TenantJobInput } from '../core/jobs/types';
import { type JobRunReport, type JobRunStatus, jobMessageNames } from './job-contract';
import { showJob } from './show-job';

const admitSignal = defineSignal(jobMessageNames.admit);
const statusQuery = defineQuery<JobRunStatus>(jobMessageNames.status);

/**
 * One job of one tenant, from its first attempt to its end. Each attempt is one activity that takes the permit, runs the
 * code and records what came of it in the database, which alone decides; between attempts the workflow waits for its
 * turn: the queue wakes it when a permit is reserved.
 */
export async function tenantJob(input: TenantJobInput): Promise<JobRunReport> {
  try {
    return await follow(input);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return CancellationScope.nonCancellable(() => end(input, error));
  }
}

async function follow(input: TenantJobInput): Promise<JobRunReport> {
  let admitted = false;
  let status: JobRunStatus = { attempts: 0, last: { kind: 'none' } };
  const admit = () => {
    admitted = true;
  };
  setHandler(admitSignal, admit, { description: 'A permit is reserved: begin the next attempt.' });
  setHandler(statusQuery, () => status, { description: 'How the last attempt ended.' });
  for (;;) {
    admitted = false;
    const last = await settled(input, await attempt(input, status.attempts + 1));
    status = { attempts: status.attempts + 1, last };
    switch (last.kind) {
      case 'done':
        return { outcome: 'done' };
      case 'dead':
        throw dead(input, last);
      case 'cancelled':
        throw new CancelledFailure('The job was cancelled.');
      case 'waiting':
        showJob(input, {
          phase: 'waiting',
          details: `Waits for ${last.why}. Attempts so far: ${status.attempts}.`,
        });
        await condition(() => admitted, last.lookInMs);
        if (workflowInfo().continueAsNewSuggested) {
          await condition(allHandlersFinished);
          await continueAsNew<typeof tenantJob>(input);
        }
        showJob(input, { phase: 'running', details: 'An attempt is under way.' });
    }
  }
}

/** Never the other way round: an attempt whose lease still runs is waited for. */
async function settled(input: TenantJobInput, first: AttemptEnd | undefined): Promise<Settled> {
  let found = first ?? (await settle(input, false));
  while (found.kind === 'running') {
    await sleep(found.lookInMs);
    found = await settle(input, false);
  }
  return found;
}

type Settled = Exclude<AttemptEnd, { readonly kind: 'running' }>;

/** Undefined when the attempt gave no answer: its worker was killed, or the database was away. */
async function attempt(input: TenantJobInput, number: number): Promise<AttemptEnd | undefined> {
  const { runJob } = proxyActivities<JobActivities>({
    summary: number === 1 ? `${input.type} for ${input.tenant}` : `${input.type}, again (${number})`,
    startToCloseTimeout: input.attemptLimitMs,
    // Four heartbeats of activities/jobs.ts.
    heartbeatTimeout: '10s',
    // What becomes of a failed attempt is decided in the database, with the job's own policy.
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  try {
    return await runJob(input);
  } catch (error) {
    if (isCancellation(error) || isRefusal(error)) throw error;
    return undefined;
  }
}

function settle({ tenant, type, key }: TenantJobInput, cancel: boolean): Promise<AttemptEnd> {
  const { settleJob } = proxyActivities<JobActivities>({
    summary: cancel ? 'Cancel the job' : 'See what became of the attempt',
    // A worker that is stopped may have taken it; another one answers at once.
    startToCloseTimeout: '15s',
    // The database may be away for long; until it answers nobody knows what became of the job.
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 2,
      maximumInterval: '30s',
      maximumAttempts: 5_000,
    },
  });
  return settleJob({ job: { tenant, type, key }, cancel });
}

/** After a cancellation: the job may have ended otherwise before it took effect. */
async function end(input: TenantJobInput, cancellation: unknown): Promise<JobRunReport> {
  for (;;) {
    const found = await settle(input, true);
    switch (found.kind) {
      case 'done':
        return { outcome: 'done' };
      case 'dead':
        throw dead(input, found);
      case 'running':
        await sleep(found.lookInMs);
        break;
      case 'waiting':
        break;
      case 'cancelled':
        showJob(input, { outcome: 'cancelled', details: 'Cancelled.' });
        throw cancellation;
    }
  }
}

function dead(input: TenantJobInput, { code, message }: { readonly code: string; readonly message: string }) {
  showJob(input, {
    outcome: 'dead',
    details:
      'Spent: it stands in the dead letters until somebody redrives or discards it (`chronawflow jobs dead`).',
  });
  const facts: ErrorFacts = {
    kind: 'failed',
    retryable: false,
    hint: 'Mend the cause, then `chronawflow jobs redrive`, or `jobs discard --reason …`.',
    details: { tenant: input.tenant, type: input.type },
  };
  return ApplicationFailure.create({ message, type: code, nonRetryable: true, details: [facts] });
}

/** The workflow was started for a job that is not there, or with something that is no job. */
function isRefusal(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof ApplicationFailure && ['JOB_NOT_FOUND', 'INVALID_INPUT'].includes(cause.type ?? '');
}
