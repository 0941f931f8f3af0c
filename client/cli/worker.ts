import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../../config';
import { DependencyMissingError } from '../../core/errors';

interface WorkerOptions {
  readonly config?: string;
  readonly metricsPort?: string;
  readonly pretty?: boolean;
}

/** `chronawflow worker`: a process of its own, because the client never loads what does the work. */
export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run a worker of all task queues until it is told to stop')
    .option('--config <file>', 'chronawflow.yaml (default: CHRONAWFLOW_CONFIG, or the working directory)')
    .option('--metrics-port <port>', 'port of /metrics and /healthz (default 9464; 0 for a free one)', port)
    .option('--pretty', 'logs for people instead of JSON lines')
    .option('--json', 'logs as JSON lines, which is the default')
    .addHelpText('after', '\nExample:\n  $ chronawflow worker --config /etc/chronawflow.yaml')
    .action(runWorker);
}

async function runWorker(options: WorkerOptions): Promise<void> {
  // What the worker's process would find only after its start, as a line of its log.
  loadConfig({ configFile: options.config });
  const entry = join(__dirname, '..', '..', 'workers', 'main.js');
  if (!existsSync(entry)) {
    throw new DependencyMissingError(`The worker is not built: ${entry} is not there.`, {
      hint: 'Run `npm run build`.',
    });
  }
  const args = [
    ...(options.metricsPort === undefined ? [] : ['--metrics-port', options.metricsPort]),
    ...(options.pretty ? ['--pretty'] : []),
  ];
  const env =
    options.config === undefined ? process.env : { ...process.env, CHRONAWFLOW_CONFIG: options.config };
  const child = spawn(process.execPath, ['--enable-source-maps', entry, ...args], { stdio: 'inherit', env });
  // A terminal sends Ctrl-C to both; a supervisor only to this process, which has to pass it on and wait.
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', () => undefined);
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
    });
  } finally {
    process.off('SIGTERM', pass);
  }
}

function port(text: string): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('give a number from 0 (any free one) to 65535');
  return text;
}
