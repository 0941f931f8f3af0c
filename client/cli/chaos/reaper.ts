import type { Command } from 'commander';
import { type EntryOptions, runEntry } from '../run-entry';

/** `chronawflow chaos reaper` */
export function registerReaper(chaos: Command): void {
  chaos
    .command('reaper')
    .description('guard this host’s faults until it is told to stop: the boot unit runs this')
    .option('--config <file>', 'chronawflow.yaml (default: CHRONAWFLOW_CONFIG, or the working directory)')
    .option('--json', 'logs as JSON lines, which is the default')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos reaper --config /etc/chronawflow.yaml')
    .action((options: EntryOptions) => runEntry('reaper', { ...options, stay: true }));
}
