import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Ends every server below the directory, then removes it: PostgreSQL by its lock files (scratch clusters as well),
 * other processes by the records of core/cluster. A worker whose servers are gone may never come to its polite end.
 */
const SWEEP = `
  cat >/dev/null
  find "$1" -name postmaster.pid -exec head -n 1 {} \\; | while read -r pid; do kill -QUIT "$pid"; done
  pids=$(find "$1" -name process.json -exec sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' {} \\;)
  for pid in $pids; do kill -TERM "$pid"; done
  for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && break; sleep 1; done
  sleep 5
  for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done`;

/** The shell that waits for the end of its standard input and then sweeps. */
export function sweeper(directory: string): readonly [file: string, args: readonly string[]] {
  return ['/bin/sh', ['-c', SWEEP, 'orphan-guard', directory]];
}

/**
 * When the test process is killed, afterAll never runs. So a small shell outlives it and sweeps up: it waits for the
 * end of its standard input, which the kernel closes together with the test process.
 *
 * @returns how a fixture that cleaned up by itself calls the guard off.
 */
export function guardAgainstOrphans(directory: string): () => Promise<void> {
  const guard = spawn(...sweeper(directory), { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return async () => {
    if (guard.pid !== undefined) process.kill(-guard.pid, 'SIGKILL');
  };
}
