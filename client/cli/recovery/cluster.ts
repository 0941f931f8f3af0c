import type { Command } from 'commander';
import type { ClusterRestoreReport, CompletedSince } from '../../../core/recovery/types';
import { currentOperator } from '../../operator';
import { interruptible } from '../interruptible';
import { duration, facts, table } from '../pages/format';
import { phaseInWords } from '../pages/phases';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { goesOn } from './goes-on';
import { wholeNumber } from './options';

interface ClusterOptions extends CommonOptions {
  readonly to: string;
  readonly into: string;
  readonly promote?: boolean;
  readonly as: string;
  readonly reason?: string;
  readonly timeline?: number;
  readonly request?: string;
  readonly wait: boolean;
}

/** `chronawflow recovery restore-cluster` */
export function registerCluster(recovery: Command): void {
  withCommonOptions(recovery.command('restore-cluster'))
    .description('restore the whole cluster into a new directory; the running one is not touched')
    .requiredOption('--to <target>', 'time with zone, "20m ago", point:<name>, lsn:<lsn> or xid:<xid>')
    .requiredOption('--into <directory>', "on the worker's host; must not exist or be empty")
    .option('--promote', 'let the new cluster take writes; else it stays paused at the target')
    .option('--timeline <n>', 'when the time exists on more than one timeline', wholeNumber)
    .option('--as <name>', 'who asks', currentOperator())
    .option('--reason <text>', 'for the audit log')
    .option('--request <name>', "last part of the workflow's ID; a name is carried out once")
    .option('--wait', 'wait until the end (default)', true)
    .option('--no-wait', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow recovery restore-cluster --to "20m ago" --into /var/lib/postgresql/restored',
    )
    .action(async (options: ClusterOptions) =>
      inSession(options, async ({ cf, out }) => {
        const run = await cf.recovery.restoreCluster({
          to: options.to,
          into: options.into,
          promote: options.promote,
          requestedBy: options.as,
          reason: options.reason,
          timeline: options.timeline,
          request: options.request,
        });
        if (!options.wait) {
          out.result({ workflowId: run.workflowId, webUrl: run.webUrl }, () => [
            `${run.workflowId} has started.`,
          ]);
          return;
        }
        out.note(`${run.workflowId}${run.webUrl === undefined ? '' : `\n${run.webUrl}`}`);
        const report = await interruptible(
          () => goesOn(run.workflowId),
          () => run.result(),
        );
        out.result(report, () => clusterPage(report));
      }),
    );
}

function clusterPage(report: ClusterRestoreReport): string[] {
  const { cluster } = report;
  const page = facts([
    ['restored to', report.target?.at ?? report.target?.value],
    ['host', cluster?.host],
    ['data directory', cluster?.dataDirectory],
    ['connect', cluster && `psql -h ${cluster.socketDirectory} -p ${cluster.port}`],
    ['state', cluster && (cluster.promoted ? 'takes writes' : 'paused at the target, read-only')],
    [
      'time by step',
      report.steps.map((step) => `${phaseInWords(step.phase)} ${duration(step.ms)}`).join(', '),
    ],
  ]);
  return [...page, ...erasedLines(cluster), ...sinceLines(cluster?.completedSince), ...heldLines(report)];
}

function sinceLines(since: CompletedSince | undefined): string[] {
  if (since === undefined || since.jobs + since.requests === 0) return [];
  const { jobs, steps, requests, first } = since;
  return [
    `Completed after the target, and not in the new cluster: ${jobs} job(s) with ${steps} step(s), ${requests} request(s).`,
    ...table(
      ['tenant', 'what', 'type', 'key', 'step', 'completed'],
      first.slice(0, 20).map((row) => [row.tenant, row.kind, row.type, row.key, row.step, row.completedAt]),
      6,
    ),
  ];
}

function heldLines({ cluster }: ClusterRestoreReport): string[] {
  if (!cluster?.promoted) return [];
  return [
    'Its queue of jobs is held back: as of the target, calls outside are still to be made that were made since.',
  ];
}

/** People who were erased after the target are in the backup still. */
function erasedLines(cluster: ClusterRestoreReport['cluster']): string[] {
  const erased = cluster?.erased;
  if (erased === undefined || erased.erasures === 0) return [];
  const { erasures, rows } = erased;
  return rows === undefined
    ? [
        `It holds people who were erased after the target (${erasures} erasures): they are erased when it is promoted.`,
      ]
    : [`${erasures} erasures after the target were applied again before it was handed over: ${rows} rows.`];
}
