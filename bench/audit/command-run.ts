import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../core/local-stack';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import type { Bench } from '../support/run-benchmark';

export interface CommandRun {
  readonly ms: number;
  /** Highest resident memory, in MB of 10^6 bytes, looked at until it ends. */
  readonly rssMb: number;
}

const LOOK_EVERY_MS = 50;

/** Runs the built command line. @throws MeasurementInvalidError when it fails */
export async function runCommand(
  bench: Bench,
  configFile: string,
  args: readonly string[],
): Promise<CommandRun> {
  const began = performance.now();
  const child = spawn(process.execPath, [join(packageRoot(), 'dist/client/cli/main.js'), ...args], {
    env: { ...process.env, CHRONAWFLOW_CONFIG: configFile },
    stdio: ['ignore', 'ignore', 'inherit'],
    signal: bench.signal,
  });
  const ended = once(child, 'exit');
  let rssMb = 0;
  const looking = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes !== undefined) rssMb = Math.max(rssMb, (Number(kilobytes) * 1_024) / 1e6);
  }, LOOK_EVERY_MS);
  const [code] = await ended;
  clearInterval(looking);
  if (code !== 0) throw new MeasurementInvalidError(`chronawflow ${args.join(' ')} ended with ${code}`);
  return { ms: performance.now() - began, rssMb };
}
