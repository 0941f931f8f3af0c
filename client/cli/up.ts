import { join } from 'node:path';
import type { Command } from 'commander';
import {
  APPLICATION,
  holderFileOf,
  openStack,
  packageRoot,
  type Stack,
  startStack,
  stopParts,
  takeDownStack,
  takeStack,
  watchStack,
} from '../../core/local-stack';
import { shellWord } from '../../core/recovery/shell-word.pure';
import { accuBooksTenancy } from '../../examples/accubooks/tenancy';
import { confirm } from './confirm';
import { InterruptedError } from './interrupted-error';
import { withInterrupts } from './interruptible';
import { stackDisplay } from './stack-display';

export interface UpOptions {
  readonly directory: string;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly worker: boolean;
  /** With everything that the catalogue's experiments disturb. */
  readonly chaos?: boolean;
}

interface DownOptions {
  readonly directory: string;
  readonly delete?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const DEFAULT_DIRECTORY = '.chronawflow';
/** As it is built: workers are processes of their own. */
const OFFICE_JOBS = join(packageRoot(), 'dist', 'examples', 'office', 'jobs.js');

/** `chronawflow up` and `chronawflow down`. */
export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start the local stack: Temporal with Web UI, both databases, backup repository, worker')
    .option('--directory <path>', 'where its state is kept', DEFAULT_DIRECTORY)
    .option('--detach', 'leave it running and return; `chronawflow down` stops it')
    .option('--no-worker', 'all parts but the worker')
    .option(
      '--chaos',
      'with everything that `chronawflow chaos suite` disturbs and looks at; for trying out alone',
    )
    .option('--json', 'print the addresses as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow up --detach && export CHRONAWFLOW_CONFIG=.chronawflow/chronawflow.yaml',
    )
    .action(async (options: UpOptions) => {
      // A second Ctrl-C ends this process at once, and the next `up` or `down` finds what still runs.
      await withInterrupts(
        () => new InterruptedError('interrupted; what was started has been stopped again'),
        (signal) => up(options, signal),
      );
    });

  program
    .command('down')
    .description('stop the local stack; its data stays unless --delete is given')
    .option('--directory <path>', 'where its state is kept', DEFAULT_DIRECTORY)
    .option('--delete', 'also remove its databases, backups and secrets')
    .option('--yes', 'with --delete: do not ask')
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', '\nExample:\n  $ chronawflow down')
    .action(down);
}

/** Runs until the signal, unless detached; then the stack is stopped cleanly. */
export async function up(options: UpOptions, signal: AbortSignal): Promise<void> {
  const letGo = await takeStack(holderFileOf(options.directory));
  const display = await stackDisplay(options.json ?? false);
  try {
    const stack = await openStack({
      directory: options.directory,
      tenancy: accuBooksTenancy,
      worker: options.worker,
      ...(options.chaos ? { chaos: { jobs: [OFFICE_JOBS] } } : {}),
    });
    await startStack(stack, display.show, signal);
    display.close();
    process.stdout.write(options.json ? `${JSON.stringify(addresses(stack))}\n` : summary(stack, options));
    if (options.detach) return;
    await watchStack(stack, display.show, signal);
    await stopParts(stack.steps, display.show);
  } finally {
    display.close();
    await letGo();
  }
}

async function down(options: DownOptions): Promise<void> {
  if (options.delete)
    await confirm(
      `Remove the databases, backups and secrets of ${options.directory}?`,
      'Removing the data of the local stack',
      options.yes,
    );
  const display = await stackDisplay(options.json ?? false);
  try {
    await takeDownStack({
      directory: options.directory,
      removeData: options.delete ?? false,
      onEvent: display.show,
    });
  } finally {
    display.close();
  }
  if (options.json)
    process.stdout.write(`${JSON.stringify({ stopped: true, removed: options.delete ?? false })}\n`);
}

/** What a program needs to use the stack; no secrets, only where they are. */
function addresses(stack: Stack) {
  const { layout, ports } = stack;
  return {
    configFile: layout.configFile,
    temporal: `127.0.0.1:${ports.temporal}`,
    webUrl: `http://127.0.0.1:${ports.web}`,
    metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
    application: {
      host: '127.0.0.1',
      port: ports.application,
      database: APPLICATION.database,
      owner: APPLICATION.owner,
    },
    platform: { host: '127.0.0.1', port: ports.platform },
    socketDirectory: layout.socketDirectory,
    secrets: layout.secrets,
    logs: [layout.temporal, layout.application, layout.platform, layout.worker].map(({ logFile }) => logFile),
  };
}

function summary(stack: Stack, options: UpOptions): string {
  const elsewhere =
    options.directory === DEFAULT_DIRECTORY ? '' : ` --directory ${shellWord(options.directory)}`;
  const { application, configFile, metricsUrl, secrets, temporal, webUrl } = addresses(stack);
  return `
Web UI        ${webUrl}
Temporal      ${temporal}
Application   postgresql://${application.owner}@${application.host}:${application.port}/${application.database}
              (password in ${secrets}/application-owner-password)
Configuration ${configFile}
Servers' data ${stack.layout.servers}${
    options.worker
      ? `
Metrics       ${metricsUrl}`
      : ''
  }

To use it     export CHRONAWFLOW_CONFIG=${shellWord(configFile)}
To stop it    ${options.detach ? `chronawflow down${elsewhere}` : 'Ctrl-C'}
`;
}
