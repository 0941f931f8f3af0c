import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePostmasterPid } from './postmaster-pid.pure';
import { runProgram } from './run-program';

export type ServerStatus =
  | {
      readonly kind: 'running';
      readonly pid: number;
      /** ISO 8601, to the second, by the host's clock. */
      readonly startedAt: string;
      readonly port: number;
      readonly socketDirectory: string;
      /** Accepts connections; a server in recovery is ready once it is consistent. */
      readonly ready: boolean;
    }
  | {
      readonly kind: 'stopped';
      /** A `postmaster.pid` is there although its server is not. */
      readonly stale: boolean;
      /** Processes of a server that was killed, which still work in the data directory. */
      readonly orphans: readonly number[];
    };

/** Looks at the data directory and at the process behind it. Never connects, never changes anything. */
export async function serverStatus(dataDirectory: string): Promise<ServerStatus> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(unlessMissing);
  const file = text === undefined ? undefined : parsePostmasterPid(text);
  if (file !== undefined && (await worksIn(file.pid, dataDirectory))) {
    return {
      kind: 'running',
      pid: file.pid,
      startedAt: new Date(file.startedAt * 1000).toISOString(),
      port: file.port,
      socketDirectory: file.socketDirectory,
      ready: file.status === 'ready' || file.status === 'standby',
    };
  }
  return { kind: 'stopped', stale: text !== undefined, orphans: await processesIn(dataDirectory) };
}

/** PostgreSQL's processes make the data directory their working directory: that tells a reused PID from the server. */
async function worksIn(pid: number, dataDirectory: string): Promise<boolean> {
  if (process.platform === 'linux') return (await workingDirectory(pid)) === (await realpath(dataDirectory));
  // Elsewhere the command line has to do: the data directory is an argument of a server that we started.
  return runProgram('ps', ['-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.includes('postgres') && stdout.includes(dataDirectory),
    () => false,
  );
}

/** Linux only: elsewhere orphans cannot be told cheaply and PostgreSQL's own check of its shared memory has to do. */
async function processesIn(dataDirectory: string): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  const wanted = await realpath(dataDirectory).catch(unlessMissing);
  if (wanted === undefined) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const working = await Promise.all(pids.map(workingDirectory));
  return pids.filter((_, index) => working[index] === wanted);
}

async function workingDirectory(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/cwd`).catch((error: NodeJS.ErrnoException) => {
    // Gone, a zombie, or another user's: in no case a server of ours.
    if (error.code === 'ENOENT' || error.code === 'ESRCH' || error.code === 'EACCES') return undefined;
    throw error;
  });
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
