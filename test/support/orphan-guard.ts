import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Ends every process below the directory, then removes it: first the guards of chaos and the processes of faults, which would
 * bring others back, then PostgreSQL by its lock files (scratch clusters as well) and other processes by the records of
 * core/cluster; a file system on `scratch` and the network namespaces that have a file `NAME.netns` go as well. It looks again and again: what was being started when the test process died has written no record yet. A worker
 * whose servers are gone may never come to its polite end.
 */
const SWEEP = `
  cat >/dev/null
  recorded() { find "$1" -name "$2" -exec sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' {} \\; 2>/dev/null; }
  signal=-TERM
  for attempt in 1 2 3 4 5 6 7; do
    kill -KILL $(recorded "$1" 'guard-?.json') $(recorded "$1" driver.json) 2>/dev/null
    find "$1" -name postmaster.pid -exec head -n 1 {} \\; 2>/dev/null | while read -r pid; do kill -QUIT "$pid"; done
    pids="$pids $(recorded "$1" process.json)"
    for pid in $pids; do kill $signal "$pid" 2>/dev/null; done
    for name in $(find "$1" -maxdepth 1 -name '*.netns' -exec basename {} .netns \\; 2>/dev/null); do ip netns del "$name"; done
    [ -d "$1/scratch" ] && umount -l "$1/scratch" 2>/dev/null
    rm -rf "$1"
    sleep 1
    [ $attempt -ge 4 ] && signal=-KILL
  done`;

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
