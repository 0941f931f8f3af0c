import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config';
import { DependencyMissingError } from '../../core/errors';

export interface EntryOptions {
  readonly config?: string;
  readonly metricsPort?: string;
  readonly pretty?: boolean;
  /** Of the reaper: until it is told to stop, also without a fault. */
  readonly stay?: boolean;
}

/** Runs one of the long-lived processes of workers/ and hands on its exit code; the client never loads what does the work. */
export async function runEntry(
  name: 'main' | 'control' | 'sealer' | 'reaper',
  options: EntryOptions,
): Promise<void> {
  // What the process would find only after its start, as a line of its log.
  loadConfig({ configFile: options.config });
  const entry = join(__dirname, '..', '..', 'workers', `${name}.js`);
  if (!existsSync(entry)) {
    throw new DependencyMissingError(`It is not built: ${entry} is not there.`, {
      hint: 'Run `npm run build`.',
    });
  }
  const args = [
    ...(options.metricsPort === undefined ? [] : ['--metrics-port', options.metricsPort]),
    ...(options.pretty ? ['--pretty'] : []),
    ...(options.stay ? ['--stay'] : []),
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
