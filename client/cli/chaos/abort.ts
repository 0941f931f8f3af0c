import { hostname } from 'node:os';
import type { Command } from 'commander';
import { loadConfig } from '../../../config';
import { abortAll, hostDrivers, LeaseJournal, LeaseStore } from '../../../core/chaos';
import { InvalidInputError } from '../../../core/errors';
import { createPool } from '../../../database';
import { ChaosSigning } from '../../chaos-signing';
import { currentOperator } from '../../operator';
import { OperatorSigning } from '../../operator-signing';
import { queueFlooding } from '../../queue-flooding';
import { Output } from '../output';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

interface AbortOptions extends CommonOptions {
  readonly all?: boolean;
}

/** `chronawflow chaos abort` */
export function registerAbort(chaos: Command): void {
  withCommonOptions(chaos.command('abort'))
    .description(
      'end an experiment, or with --all every fault: works with Temporal and the control plane away',
    )
    .argument('[run]', 'workflow ID')
    .option('--all', 'every fault of this host now, and those of other hosts by their reapers')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos abort --all')
    .action(async (run: string | undefined, options: AbortOptions) => {
      if (options.all) return abortEverything(options);
      if (run === undefined) throw new InvalidInputError('Name a run, or give --all.');
      await inSession(options, async ({ cf, out }) => {
        await cf.chaos.handle(run).abort();
        out.result({ workflowId: run, asked: true }, () => ['It rolls back now.']);
      });
    });
}

/** Reads the journal of this host and nothing else; who is away is not waited for. */
async function abortEverything(options: AbortOptions): Promise<void> {
  const out = new Output(options.json ?? false);
  const config = loadConfig({ configFile: options.config });
  if (config.chaos === undefined)
    throw new InvalidInputError('The configuration has no section `chaos`, so this host has no faults.');
  const platform = createPool(config.control.database ?? config.platform.database, {
    applicationName: 'chronawflow abort',
    // One to sign by, while the other one's transaction is open.
    max: 2,
    connectTimeoutMs: 2_000,
    sessionSettings: { statement_timeout: '2000' },
  });
  const signing = new OperatorSigning(config, platform, undefined);
  const log = {
    info: () => undefined,
    warn: (facts: object, message: string) => out.note(`${message}: ${JSON.stringify(facts)}`),
    error: (facts: object, message: string) => out.note(`${message}: ${JSON.stringify(facts)}`),
  };
  try {
    const report = await abortAll(
      {
        host: hostname(),
        journal: new LeaseJournal(config.chaos.directory),
        drivers: hostDrivers(config, queueFlooding(config.temporal)),
        targets: config.chaos.targets,
        store: new LeaseStore(platform),
        log,
      },
      currentOperator(),
      undefined,
      async (store) => {
        const { by, authorize } = await new ChaosSigning(signing).abortElsewhere();
        return store.requestAbort(by, authorize);
      },
    );
    out.result(report, () => [
      report.ended.length === 0
        ? 'There was no fault on this host.'
        : `Ended and proved: ${report.ended.join(', ')}.`,
      ...report.remaining.map(({ id, reason }) => `Still there: ${id}: ${reason}`),
      report.askedElsewhere === undefined
        ? `Other hosts were not asked (${report.notAsked ?? 'no control plane'}): their faults end with their leases, or by this command there.`
        : `Asked for on other hosts: ${report.askedElsewhere}.`,
    ]);
    if (report.remaining.length > 0) process.exitCode = 1;
  } finally {
    await platform.end();
  }
}
