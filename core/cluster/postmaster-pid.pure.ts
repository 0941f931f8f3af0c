/**
 * PostgreSQL's lock file `postmaster.pid`, line by line.
 * Source: src/include/utils/pidfile.h of PostgreSQL 15.
 */
export interface PostmasterPid {
  readonly pid: number;
  readonly dataDirectory: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  readonly port: number;
  /** Empty when the server has no local socket. */
  readonly socketDirectory: string;
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | undefined;
}

/** undefined for a file that is not complete: the server writes it in steps while it starts. */
export function parsePostmasterPid(text: string): PostmasterPid | undefined {
  const [pid, dataDirectory, startedAt, port, socketDirectory, , , status] = text.split('\n');
  if (!pid || !/^-?\d+$/.test(pid) || !dataDirectory || !startedAt || !port) return undefined;
  return {
    // A single-user backend writes its PID negated.
    pid: Math.abs(Number(pid)),
    dataDirectory,
    startedAt: Number(startedAt),
    port: Number(port),
    socketDirectory: socketDirectory ?? '',
    status: statusOf(status?.trim()),
  };
}

function statusOf(word: string | undefined): PostmasterPid['status'] {
  return word === 'starting' || word === 'stopping' || word === 'ready' || word === 'standby'
    ? word
    : undefined;
}
