import Table from 'cli-table3';
import { median } from '../support/statistics.pure';
import type { PeerResult } from './peers';
import { inWords, type TaskRounds } from './rounds';
import type { SideResult, Step } from './step-timer';

type Row = readonly (string | number)[];

/** One task: the medians of each side's steps, then of the whole. */
export function taskTable({ task, chronawflow, byHand }: TaskRounds): string {
  const left = medianSteps(chronawflow);
  const right = medianSteps(byHand);
  const rows: Row[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    rows.push([...cells(left[i]), ...cells(right[i])]);
  }
  rows.push(['all', seconds(totalOf(chronawflow)), 'all', seconds(totalOf(byHand))]);
  return [
    `${task.name}: ratio ${ratioOf({ task, chronawflow, byHand }).toFixed(2)}`,
    table([inWords.chronawflow, 's', inWords.byHand, 's'], rows),
    ...partsLine(chronawflow),
  ].join('\n');
}

export function ratioOf({ chronawflow, byHand }: TaskRounds): number {
  return totalOf(chronawflow) / totalOf(byHand);
}

/** Of the last round. */
function partsLine(results: readonly SideResult[]): string[] {
  const inside = results.at(-1)?.inside;
  if (inside === undefined) return [];
  const parts = inside.parts.map(({ name, ms }) => `${name} ${seconds(ms)}`);
  return [`Inside ${inside.step}, last round: ${parts.join(', ')}`];
}

export function peersTable(peers: PeerResult): string {
  return [
    'Among peers: the large tenant with 5 % changed, freeze after approval, others writing',
    table(
      ['measured', 'ms'],
      [
        ['longest stall of another tenant’s write', Math.round(peers.stallMs)],
        ['the same without a restore', Math.round(peers.controlMs)],
        ['tenant frozen, by its own office', Math.round(peers.frozenMs)],
        ['tenant frozen, by the report', Math.round(peers.reportedFrozenMs)],
      ],
    ),
    `${peers.commits} transactions of other tenants were committed during that restore.`,
  ].join('\n');
}

function totalOf(results: readonly SideResult[]): number {
  return median(results.map(({ totalMs }) => totalMs));
}

/** Each step with the median of all rounds; a step that came twice in a round counts as one. */
function medianSteps(results: readonly SideResult[]): Step[] {
  const names = [...new Set(results.flatMap(({ steps }) => steps.map(({ name }) => name)))];
  const sum = ({ steps }: SideResult, name: string) =>
    steps.filter((step) => step.name === name).reduce((total, { ms }) => total + ms, 0);
  return names.map((name) => ({ name, ms: median(results.map((result) => sum(result, name))) }));
}

function cells(step: Step | undefined): Row {
  return step === undefined ? ['', ''] : [step.name, seconds(step.ms)];
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}

function table(head: readonly string[], rows: readonly Row[]): string {
  const drawn = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, i) => (i % 2 === 0 ? 'left' : 'right')),
  });
  for (const row of rows) drawn.push([...row]);
  return drawn.toString();
}
