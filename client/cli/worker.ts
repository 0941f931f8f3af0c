import type { Command } from 'commander';
import { port } from './options';
import { type EntryOptions, runEntry } from './run-entry';

/** `chronawflow worker`: a process of its own, because the client never loads what does the work. */
export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description(
      'run a worker of all task queues until it is told to stop, or with --control the controllers',
    )
    .option('--control', "the controllers' process instead: what watches over the rest and steps in")
    .option('--config <file>', 'chronawflow.yaml (default: CHRONAWFLOW_CONFIG, or the working directory)')
    .option(
      '--metrics-port <port>',
      'port of /metrics and /healthz (default 9464, with --control 9465; 0 for a free one)',
      port,
    )
    .option('--pretty', 'logs for people instead of JSON lines')
    .option('--json', 'logs as JSON lines, which is the default')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow worker --config /etc/chronawflow.yaml\n  $ chronawflow worker --control --config /etc/chronawflow.yaml',
    )
    .action((options: EntryOptions & { readonly control?: boolean }) =>
      runEntry(options.control ? 'control' : 'main', options),
    );
}
