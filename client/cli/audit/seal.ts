import type { Command } from 'commander';
import { port } from '../options';
import { type EntryOptions, runEntry } from '../run-entry';

/** `chronawflow audit seal`: a process of its own, the only one that holds the key. */
export function registerSeal(audit: Command): void {
  audit
    .command('seal')
    .description('seal events until it is told to stop; one sealer is active, others stand by')
    .option('--config <file>', 'chronawflow.yaml (default: CHRONAWFLOW_CONFIG, or the working directory)')
    .option('--metrics-port <port>', 'port of /metrics and /healthz (default 9466; 0 for a free one)', port)
    .option('--pretty', 'logs for people instead of JSON lines')
    .option('--json', 'logs as JSON lines, which is the default')
    .addHelpText('after', '\nExample:\n  $ chronawflow audit seal --config /etc/chronawflow.yaml')
    .action((options: EntryOptions) => runEntry('sealer', options));
}
