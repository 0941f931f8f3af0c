import { join } from 'node:path';
import type { PostgresBin } from './find-postgres';
import { runProgram } from './run-program';
import { serverStatus } from './server-status';

export interface StopOptions {
  readonly bin: PostgresBin;
  readonly dataDirectory: string;
  /** `fast` ends sessions and writes a checkpoint; `immediate` is a crash, for data that is thrown away. */
  readonly mode?: 'fast' | 'immediate';
  /** Default 60 s. */
  readonly timeoutMs?: number;
}

/** Stops a server and waits for its end; nothing happens when none runs. */
export async function stopServer(options: StopOptions): Promise<void> {
  // pg_ctl signals whatever process has the PID of the lock file, so make sure first that it is the server.
  if ((await serverStatus(options.dataDirectory)).kind === 'stopped') return;
  const seconds = Math.ceil((options.timeoutMs ?? 60_000) / 1000);
  try {
    await runProgram(
      join(options.bin.directory, 'pg_ctl'),
      [
        'stop',
        `--pgdata=${options.dataDirectory}`,
        `--mode=${options.mode ?? 'fast'}`,
        '--wait',
        `--timeout=${seconds}`,
      ],
      { asServerUser: true },
    );
  } catch (error) {
    // It may have ended by itself between the two looks; then the wish is fulfilled.
    if ((await serverStatus(options.dataDirectory)).kind === 'running') throw error;
  }
}
