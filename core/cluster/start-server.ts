import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresBin } from './find-postgres';
import { ServerStartFailedError } from './server-start-failed-error';
import { type ServerStatus, serverStatus } from './server-status';
import { identityFor, runsAsRoot, serverUser } from './server-user';

export interface StartOptions {
  readonly bin: PostgresBin;
  readonly dataDirectory: string;
  /** Appended to; made when absent. */
  readonly logFile: string;
  /** At most about 90 characters: the kernel limits a socket's path to 107 bytes. */
  readonly socketDirectory: string;
  readonly port: number;
  /** Addresses to listen on; default none, only the local socket. */
  readonly listenAddresses?: string;
  /** Server settings, given on the command line and so above every configuration file. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Also the time that a server in recovery may take to become consistent; default 60 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type RunningServer = Extract<ServerStatus, { kind: 'running' }>;

const POLL_MS = 25;
/** A server that has little to recover is ready within 50 ms; one that has much is looked at less and less often. */
const FIRST_LOOK_MS = 8;
const LAST_LOOK_MS = 100;
/** Longest that backends of a killed server were seen to need until they notice; they poll the postmaster. */
const ORPHAN_LIMIT_MS = 30_000;
/** The socket's file name is ".s.PGSQL.65535.lock" at its longest; sun_path holds 107 bytes and a NUL. */
const SOCKET_DIRECTORY_LIMIT = 107 - '/.s.PGSQL.65535'.length;

/**
 * Starts a server in a session of its own and waits until it accepts connections. One that runs already is returned
 * as it is, so a second call after a crash of the caller takes over. On abort or time-out nothing keeps running.
 *
 * @throws ServerStartFailedError with the last lines of the server's log.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  if (Buffer.byteLength(options.socketDirectory) > SOCKET_DIRECTORY_LIMIT) {
    throw new ServerStartFailedError(
      options.dataDirectory,
      `the socket directory ${options.socketDirectory} is longer than ${SOCKET_DIRECTORY_LIMIT} bytes`,
      '',
    );
  }
  const limit = Date.now() + (options.timeoutMs ?? 60_000);
  const before = await waitForOrphans(options.dataDirectory, options.signal);
  if (before.kind === 'running') return waitUntilReady(options, limit, () => undefined);
  // Only now safe: its PID belongs to somebody else and no process is left in the directory.
  if (before.stale) await removeStaleLock(options.dataDirectory);

  let ended: string | undefined;
  const child = await spawnServer(options);
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `the server ended with ${code ?? signal}`;
  });
  try {
    return await waitUntilReady(options, limit, () => ended);
  } catch (error) {
    if (ended === undefined) {
      const gone = once(child, 'exit');
      // Else this process may end first, when it has nothing else to wait for, and leave the rest undone.
      child.ref();
      child.kill('SIGQUIT');
      await gone;
    }
    throw error;
  }
}

async function spawnServer(options: StartOptions) {
  const settings = {
    listen_addresses: options.listenAddresses ?? '',
    unix_socket_directories: options.socketDirectory,
    port: options.port,
    ...options.settings,
  };
  const identity = await identityFor(true, join(options.bin.directory, 'postgres'), [
    '-D',
    options.dataDirectory,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const log = await open(options.logFile, 'a', 0o600);
  try {
    if (runsAsRoot()) {
      const user = await serverUser();
      await chown(options.logFile, user.uid, user.gid);
    }
    const child = spawn(identity.file, identity.args, {
      ...identity.credentials,
      cwd: identity.cwd,
      env: { ...process.env, ...identity.env },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

async function waitUntilReady(
  options: StartOptions,
  limit: number,
  ended: () => string | undefined,
): Promise<RunningServer> {
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.2, LAST_LOOK_MS)) {
    options.signal?.throwIfAborted();
    const status = await serverStatus(options.dataDirectory);
    if (status.kind === 'running' && status.ready) return status;
    const reason =
      ended() ?? (Date.now() > limit ? 'it did not accept connections within the time limit' : undefined);
    if (reason !== undefined)
      throw new ServerStartFailedError(options.dataDirectory, reason, await tail(options.logFile));
    await sleep(wait);
  }
}

/** Backends of a killed server hold its shared memory for a moment; a new server would refuse to start beside them. */
async function waitForOrphans(dataDirectory: string, signal: AbortSignal | undefined): Promise<ServerStatus> {
  const limit = Date.now() + ORPHAN_LIMIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    const status = await serverStatus(dataDirectory);
    if (status.kind === 'running' || status.orphans.length === 0) return status;
    if (Date.now() > limit) {
      throw new ServerStartFailedError(
        dataDirectory,
        `processes of an earlier server still run: ${status.orphans.join(', ')}`,
        '',
      );
    }
    await sleep(POLL_MS);
  }
}

async function removeStaleLock(dataDirectory: string): Promise<void> {
  await unlink(join(dataDirectory, 'postmaster.pid')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function tail(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8');
  return text.trimEnd().split('\n').slice(-12).join('\n');
}
