import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ChaosReport } from '../../../core/chaos/types';
import type { ChaosStatus } from '../../../workflows/chaos-contract';
import type { ChaosRun } from '../../chaos';
import { chaosPage } from '../pages/chaos-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { readDocument } from './read-document';

interface RunOptions extends CommonOptions {
  readonly as?: string;
  readonly reason?: string;
  readonly request?: string;
  readonly journalPath?: string;
  readonly gameDay?: boolean;
  readonly detach?: boolean;
}

/** `chronawflow chaos run|dry-run` */
export function registerRun(chaos: Command): void {
  withWho(withCommonOptions(chaos.command('run')))
    .description('run an experiment in Chaos Toolkit’s format; exit code 1 unless it passed')
    .argument('<file>', 'JSON or YAML')
    .option('--request <name>', 'name of this run; one name is carried out once')
    .option('--journal-path <file>', 'write the journal in Chaos Toolkit’s format')
    .option('--game-day', 'every step waits for `chaos confirm`')
    .option('--detach', 'only start it')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow chaos run examples/experiments/database-slow.yaml --reason "game day"',
    )
    .action(async (file: string, options: RunOptions) => {
      const experiment = await readDocument(file);
      await inSession(options, async ({ cf, out }) => {
        const run = await cf.chaos.run({
          experiment,
          requestedBy: options.as,
          reason: options.reason,
          request: options.request,
          confirmEachStep: options.gameDay,
        });
        out.note(`${run.workflowId}${run.webUrl === undefined ? '' : `  ${run.webUrl}`}`);
        if (options.detach) {
          out.result({ workflowId: run.workflowId }, () => ['Started.']);
          return;
        }
        const report = await follow(run, (line) => out.note(line));
        if (options.journalPath !== undefined) {
          const { journal } = await cf.chaos.report(run.workflowId);
          await writeFile(options.journalPath, `${JSON.stringify(journal, undefined, 2)}\n`);
        }
        out.result(report, () => chaosPage(report));
        if (report.verdict !== 'passed') process.exitCode = 1;
      });
    });

  withWho(withCommonOptions(chaos.command('dry-run')))
    .description('check an experiment against allow-list and safety rules, and say what it would do')
    .argument('<file>', 'JSON or YAML')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos dry-run examples/experiments/database-slow.yaml')
    .action(async (file: string, options: RunOptions) => {
      const experiment = await readDocument(file);
      await inSession(options, async ({ cf, out }) => {
        const run = await cf.chaos.run({
          experiment,
          requestedBy: options.as,
          reason: options.reason,
          dryRun: true,
        });
        const report = await run.result();
        out.result(report, () => (report.plan ?? []).map((line, at) => `${at + 1}. ${line}`));
      });
    });
}

function withWho(command: Command): Command {
  return command.option('--as <name>', 'who asks').option('--reason <text>', 'why, for the audit log');
}

const LOOK_EVERY_MS = 500;

/** Says each change of phase on the way; a worker that does not answer for a while is waited for. */
async function follow(run: ChaosRun, note: (line: string) => void): Promise<ChaosReport> {
  let shown = '';
  const timer = setInterval(() => {
    run.status().then(
      (status) => {
        const line = lineOf(status);
        if (line !== shown) note(line);
        shown = line;
      },
      () => undefined,
    );
  }, LOOK_EVERY_MS);
  try {
    return await run.result();
  } finally {
    clearInterval(timer);
  }
}

function lineOf({ phase, faults, awaits }: ChaosStatus): string {
  const waiting = awaits === undefined ? '' : `; waits for a confirmation of: ${awaits}`;
  return `${phase}${faults.length === 0 ? '' : ` (${faults.join(', ')})`}${waiting}`;
}
