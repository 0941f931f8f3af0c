import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, open, rename, writeFile } from 'node:fs/promises';
import { CommandFailedError } from '../errors';
import { processIdentity } from './process-identity';

export interface DetachedOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Remembers the process for those who come later; kept beside the process's state. */
  readonly recordFile: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/**
 * The child writes down itself which process it is, and only then becomes the program: whoever starts it may be killed at any moment,
 * and what runs is known. The fields behind the name in /proc/PID/stat begin with the state; the 20th is when it started. Source: proc(5).
 */
const RECORD_AND_BECOME = `record=$1; shift
read -r stat < "/proc/$$/stat" || exit 126
identity=$(set -- \${stat##*) }; echo "\${20}")
printf '{"pid":%s,"identity":"%s","startedAt":"%s"}' "$$" "$identity" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$record.$$" &&
mv -f "$record.$$" "$record" && exec "$@"`;

/** Where there is no /proc, the starter writes it down. */
const CHILD_RECORDS = process.platform === 'linux';

/** Starts a process in a session of its own. @throws CommandFailedError when there is no such program */
export async function spawnRecorded(options: DetachedOptions): Promise<ChildProcess> {
  const { file, args, recordFile } = options;
  const program = CHILD_RECORDS ? '/bin/sh' : file;
  const given = CHILD_RECORDS ? ['-c', RECORD_AND_BECOME, 'sh', recordFile, file, ...args] : args;
  const log = await open(options.logFile, 'a', 0o600);
  try {
    // The shell would only say so in the log.
    if (CHILD_RECORDS && file.includes('/')) await access(file, constants.X_OK);
    const child = spawn(program, given, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    await once(child, 'spawn');
    child.unref();
    if (!CHILD_RECORDS) await record(recordFile, child.pid ?? 0);
    return child;
  } catch (cause) {
    throw new CommandFailedError(file, 'not started', String(cause), cause);
  } finally {
    await log.close();
  }
}

async function record(recordFile: string, pid: number): Promise<void> {
  const identity = await processIdentity(pid);
  // Ended already: the caller's readiness check will say so with the log.
  if (identity === undefined) return;
  const half = `${recordFile}.${process.pid}`;
  await writeFile(half, JSON.stringify({ pid, identity, startedAt: new Date().toISOString() }), {
    mode: 0o600,
  });
  await rename(half, recordFile);
}
