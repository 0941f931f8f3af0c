import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { CommandFailedError, hasCode } from '../errors';
import { identityFor } from './server-user';

export interface RunOptions {
  /** When this process is root: run as the server user (see serverUser). Otherwise without effect. */
  readonly asServerUser?: boolean;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Called for every complete line of output, for progress. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Enough for the reason of a failure, little enough for an error message. */
const STDERR_TAIL = 4_000;
/** Between the polite and the final signal; pgBackRest needs about a second to release its locks. */
const KILL_GRACE_MS = 5_000;

/**
 * Runs a program to its end, without a shell, in a process group of its own.
 *
 * @throws CommandFailedError when it cannot be started, ends with a non-zero exit code, or runs out of time.
 * @throws the signal's reason when it was aborted, once the whole process group has been told to end.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProgramOutput> {
  options.signal?.throwIfAborted();
  const identity = await identityFor(options.asServerUser ?? false, file, args);
  const child = spawn(identity.file, identity.args, {
    ...identity.credentials,
    // The server user may not be able to enter the caller's directory.
    cwd: options.cwd ?? identity.cwd,
    env: { ...process.env, ...identity.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stdout = collect(child.stdout, (line) => options.onLine?.(line, 'stdout'));
  const stderr = collect(child.stderr, (line) => options.onLine?.(line, 'stderr'));
  const end = await waitForEnd(child, options);

  if (end.kind === 'aborted') throw end.reason;
  const tail = stderr.text().slice(-STDERR_TAIL);
  if (end.kind === 'not-started')
    throw new CommandFailedError(file, 'not started', end.cause.message, end.cause);
  if (end.kind === 'timed-out')
    throw new CommandFailedError(file, `no end within ${options.timeoutMs} ms`, tail);
  if (end.exit !== 0) throw new CommandFailedError(file, end.exit, tail || stdout.text().slice(-STDERR_TAIL));
  return { stdout: stdout.text(), stderr: stderr.text() };
}

type End =
  | { readonly kind: 'ended'; readonly exit: number | string }
  | { readonly kind: 'not-started'; readonly cause: Error }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'aborted'; readonly reason: unknown };

function waitForEnd(
  child: ChildProcessByStdio<null, Readable, Readable>,
  options: Pick<RunOptions, 'signal' | 'timeoutMs'>,
): Promise<End> {
  return new Promise((resolve) => {
    let cutShort: End | undefined;
    const timers: NodeJS.Timeout[] = [];
    const stop = (reason: End) => {
      if (cutShort !== undefined) return;
      cutShort = reason;
      signalGroup(child.pid, 'SIGTERM');
      timers.push(setTimeout(() => signalGroup(child.pid, 'SIGKILL'), KILL_GRACE_MS));
    };
    const onAbort = () => stop({ kind: 'aborted', reason: options.signal?.reason });
    const finish = (end: End) => {
      for (const timer of timers) clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      resolve(cutShort ?? end);
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    // An abort between the caller's check and this listener would otherwise go unheard.
    if (options.signal?.aborted) onAbort();
    if (options.timeoutMs !== undefined)
      timers.push(setTimeout(() => stop({ kind: 'timed-out' }), options.timeoutMs));
    child.on('error', (cause) => finish({ kind: 'not-started', cause }));
    child.on('close', (code, signal) => finish({ kind: 'ended', exit: code ?? signal ?? 'no exit code' }));
  });
}

/** Signals a whole process group; one that has already ended is what the caller wanted. */
function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

function collect(stream: Readable, onLine: (line: string) => void): { text(): string } {
  const chunks: string[] = [];
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    chunks.push(chunk);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  return { text: () => chunks.join('') };
}
