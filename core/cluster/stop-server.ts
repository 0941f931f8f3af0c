import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../errors';
import { serverStatus } from './server-status';
import { ServerStopFailedError } from './server-stop-failed-error';

export interface StopOptions {
  readonly dataDirectory: string;
  /** `fast` ends sessions and writes a checkpoint; `immediate` is a crash, for data that is thrown away. */
  readonly mode?: keyof typeof SIGNALS;
  /** Default 60 s. */
  readonly timeoutMs?: number;
}

/** What each mode is to the postmaster (PostgreSQL 15, "Shutting Down the Server"). */
const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** pg_ctl sends the same signals and then looks ten times a second, which is most of what stopping takes. */
const POLL_MS = 10;

/**
 * Stops a server and waits for its end; nothing happens when none runs.
 *
 * @throws ServerStopFailedError when it still runs at the time limit.
 */
export async function stopServer({
  dataDirectory,
  mode = 'fast',
  timeoutMs = 60_000,
}: StopOptions): Promise<void> {
  const limit = performance.now() + timeoutMs;
  let status = await serverStatus(dataDirectory);
  if (status.kind === 'running') signal(status.pid, SIGNALS[mode]);
  while (status.kind === 'running') {
    if (performance.now() > limit) throw new ServerStopFailedError(dataDirectory, status.pid, timeoutMs);
    await sleep(POLL_MS);
    status = await serverStatus(dataDirectory);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended by itself between the two looks; then the wish is fulfilled.
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
