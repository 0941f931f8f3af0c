import Table from 'cli-table3';
import { median } from '../support/statistics.pure';
import type { BatchRates } from './batch';
import type { Deferred } from './deferred';
import { type NoisyRuns, p95VsFair } from './noisy';
import { type Overhead, type Rates, ratio } from './overhead';

/** Rates of a job beside a bare workflow. */
export function overheadTable({ nothing, insert }: Overhead): string {
  const made = new Table({
    head: ['items per second, median', 'bare workflow', 'the same again', 'job', 'job ÷ bare', 'control'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  made.push(row('nothing to do', nothing), row('one insert (job: ctx.once)', insert));
  return made.toString();
}

function row(name: string, { bare, control, job }: Rates): string[] {
  return [
    name,
    median(bare).toFixed(1),
    median(control).toFixed(1),
    median(job).toFixed(1),
    ratio(job, bare).toFixed(2),
    ratio(control, bare).toFixed(2),
  ];
}

/** A tenant's 20 jobs behind another's 2,000. */
export function noisyTable(runs: NoisyRuns): string {
  const made = new Table({
    head: ['20 jobs of B behind many of A, 10 slots', 'B p95, s', 'p95 ÷ fair share', 'jobs/s'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const [side, of] of Object.entries(runs)) {
    made.push([
      side,
      (median(of.map((run) => run.p95Ms)) / 1_000).toFixed(2),
      p95VsFair(of).toFixed(2),
      median(of.map((run) => run.rate)).toFixed(1),
    ]);
  }
  return made.toString();
}

/** Many small items with one insert each. */
export function batchTable({ chronawflow, graphile, packed }: BatchRates): string {
  const made = new Table({
    head: ['items with one insert each', 'items/s, median', 'Chronawflow ÷ it'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const line = (name: string, rates: readonly number[]) => [
    name,
    Math.round(median(rates)).toLocaleString('en-US'),
    ratio(chronawflow, rates).toFixed(2),
  ];
  made.push(
    line('Chronawflow, a record per item', chronawflow),
    line('graphile-worker, a job per item, fetched in batches', graphile),
    line('graphile-worker, 100 items in a job', packed),
  );
  return made.toString();
}

/** What a large backlog costs while it waits. */
export function deferredTable({ jobs, perSecond, databaseBytes, idleRssMb, rssMb }: Deferred): string {
  const made = new Table({
    head: [`${jobs.toLocaleString('en-US')} deferred jobs of one tenant`, ''],
    colAligns: ['left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  made.push(
    ['submitted, jobs/s', Math.round(perSecond).toLocaleString('en-US')],
    ['database, table and indexes', `${(databaseBytes / 1_048_576).toFixed(1)} MB`],
    ['database, per job', `${Math.round(databaseBytes / jobs)} bytes`],
    ['worker’s memory, empty queue', `${idleRssMb.toFixed(0)} MB`],
    ['worker’s memory with them', `${rssMb.toFixed(0)} MB`],
  );
  return made.toString();
}
