import type { DeadLetter, Hold, JobProgress, JobStatus, QueueDepth } from '../../../core/jobs';
import type { JobScheduleState } from '../../job-schedules';
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
  if (status.held !== undefined) return heldInWords(status.held);
  if (status.waitsFor !== undefined) return `waiting for ${IN_WORDS[status.waitsFor]}`;
  if (status.noWorker) return 'waiting: no worker has its type’s code';
  return status.state;
}

function heldInWords({ kind, reason, perSecond }: NonNullable<JobStatus['held']>): string {
  if (perSecond !== undefined) return `comes back at ${perSecond}/s`;
  if (kind === 'pause')
    return reason === 'paused' ? 'the tenant is paused' : `the tenant is paused: ${reason}`;
  return `held: ${reason}`;
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
    ...(status.held === undefined ? [] : [['held', sinceInWords(status.held)] as [string, string]]),
    ...(status.progress === undefined
      ? []
      : [['progress', progressInWords(status.progress)] as [string, string]]),
    ['level', String(status.priority)],
    ['attempts', String(status.attempts)],
    ['submitted', status.submittedAt],
    ...(status.finishedAt === undefined
      ? [['not before', status.runAt] as [string, string]]
      : [['finished', status.finishedAt] as [string, string]]),
    ...(status.result === undefined ? [] : [['result', JSON.stringify(status.result)] as [string, string]]),
  ]);
}

function progressInWords({ done, total }: JobProgress): string {
  return total === undefined ? count(done) : `${count(done)} of ${count(total)}`;
}

function sinceInWords({ by, since, until }: { by: string; since: string; until?: string }): string {
  return `by ${by} since ${since}${until === undefined ? '' : ` until ${until}`}`;
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
    ['what', 'tenant', 'type', 'key', 'reason', 'by', 'since', 'until'],
    holds.map((h) => [
      h.release === undefined ? h.kind : `${h.kind}, comes back at ${h.release.perSecond}/s`,
      h.tenant || 'any',
      h.type || 'any',
      h.key || 'any',
      h.reason,
      h.by,
      h.since,
      h.until ?? (h.release === undefined ? 'it is released' : 'all came back'),
    ]),
    8,
  );
}

export function schedulesPage(schedules: readonly JobScheduleState[]): string[] {
  if (schedules.length === 0) return ['There is no schedule; `chronawflow jobs schedule set` makes one.'];
  return table(
    ['tenant', 'schedule', 'type', 'when', 'next run', 'state', 'runs', 'missed'],
    schedules.map((s) => [
      s.tenant,
      s.name,
      s.type,
      s.everyMs === undefined ? `${s.cron ?? 'cron'} (${s.timeZone})` : `every ${duration(s.everyMs)}`,
      s.nextRuns[0] ?? 'none',
      s.paused ? `paused${s.note === undefined ? '' : `: ${s.note}`}` : 'active',
      String(s.runs),
      s.missed === 0 ? '0' : pc.red(String(s.missed)),
    ]),
    6,
  );
}
