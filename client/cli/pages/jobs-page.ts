import type { DeadLetter, Hold, JobStatus, QueueDepth } from '../../../core/jobs';
import type { JobView } from '../../jobs';
import { colors as pc } from '../colors';
import { count, duration, facts, table } from './format';

const IN_WORDS = {
  retry: 'its next attempt',
  code: 'a worker with its type’s code',
  thaw: 'the end of the tenant’s restore',
} as const;

/** What a job does at the moment, in a few words. */
export function stateInWords(status: JobStatus): string {
  if (status.held !== undefined) return `held: ${status.held.reason}`;
  if (status.waitsFor !== undefined) return `waiting for ${IN_WORDS[status.waitsFor]}`;
  if (status.noWorker) return 'waiting: no worker has its type’s code';
  return status.state;
}

export function jobsPage(jobs: readonly JobStatus[]): string[] {
  if (jobs.length === 0) return ['There is no such job.'];
  return table(
    ['tenant', 'type', 'key', 'state', 'submitted', 'level', 'attempts'],
    jobs.map((job) => [
      job.tenant,
      job.type,
      job.key,
      job.state === 'dead' ? pc.red('dead') : stateInWords(job),
      job.submittedAt,
      String(job.priority),
      String(job.attempts),
    ]),
    5,
  );
}

export function statusPage(status: JobStatus): string[] {
  return facts([
    ['job', `${status.type} ${status.key}`],
    ['tenant', status.tenant],
    ['state', stateInWords(status)],
    ...(status.held === undefined
      ? []
      : [['held', `by ${status.held.by} since ${status.held.since}`] as [string, string]]),
    ['level', String(status.priority)],
    ['attempts', String(status.attempts)],
    ['submitted', status.submittedAt],
    ...(status.finishedAt === undefined
      ? [['not before', status.runAt] as [string, string]]
      : [['finished', status.finishedAt] as [string, string]]),
    ...(status.result === undefined ? [] : [['result', JSON.stringify(status.result)] as [string, string]]),
  ]);
}

export function jobPage({ status, workflowId, webUrl, steps, letters }: JobView): string[] {
  return [
    ...statusPage(status),
    ...facts([['history', webUrl ?? workflowId]]),
    ...status.errors.map((e) => `${pc.red('!')} attempt ${e.attempt}, ${e.at}: ${e.code}: ${e.message}`),
    ...stepsPage(steps),
    ...letters.map(
      (letter) =>
        `dead ${letter.diedAt}: ${letter.reason}, ${letter.state}` +
        `${letter.decidedBy === undefined ? '' : ` by ${letter.decidedBy}: ${letter.decision}`}`,
    ),
  ];
}

export function stepsPage(steps: JobView['steps']): string[] {
  if (steps.length === 0) return ['No step of it was completed.'];
  return ['Completed steps, which another run does not repeat:', ...steps.map((s) => `  ${s.step}, ${s.at}`)];
}

export function deadPage(letters: readonly DeadLetter[]): string[] {
  if (letters.length === 0) return ['There is no open dead letter.'];
  return table(
    ['tenant', 'type', 'key', 'died', 'last error', 'attempts'],
    letters.map((letter) => {
      const last = letter.errors.at(-1);
      const error = last === undefined ? letter.reason : `${last.code}: ${last.message}`;
      return [
        letter.tenant,
        letter.type,
        letter.key,
        letter.diedAt,
        error.length > 60 ? `${error.slice(0, 59)}…` : error,
        String(letter.attempts),
      ];
    }),
    5,
  );
}

export function depthsPage(queues: readonly QueueDepth[]): string[] {
  if (queues.length === 0) return ['Nothing waits, runs or is dead.'];
  return table(
    ['tenant', 'type', 'waiting', 'in flight', 'dead', 'oldest'],
    queues.map((q) => [
      q.tenant,
      q.type,
      count(q.waiting),
      count(q.inFlight),
      q.dead === 0 ? '0' : pc.red(count(q.dead)),
      duration(q.oldestMs),
    ]),
    2,
  );
}

export function holdsPage(holds: readonly Hold[]): string[] {
  if (holds.length === 0) return ['Nothing is held.'];
  return table(
    ['tenant', 'type', 'key', 'reason', 'by', 'since'],
    holds.map((h) => [h.tenant || 'any', h.type || 'any', h.key || 'any', h.reason, h.by, h.since]),
    6,
  );
}
