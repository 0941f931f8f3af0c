import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CommandFailedError, hasCode } from '../errors';
import { processIdentity } from './process-identity';
import { withProcessLock } from './process-lock';

export interface DetachedOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Remembers the process for those who come later; kept beside the process's state. */
  readonly recordFile: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export type DetachedStatus =
  | { readonly kind: 'running'; readonly pid: number; readonly startedAt: string }
  | { readonly kind: 'stopped' };

const record = z.strictObject({ pid: z.number().int(), identity: z.string(), startedAt: z.string() });

const POLL_MS = 25;

/**
 * Starts a long-lived process that outlives this one, in a session of its own, and remembers which it is. One that is
 * remembered and runs is left as it is: of several that find it dead at the same moment, one starts it.
 */
export async function startDetached(options: DetachedOptions): Promise<DetachedStatus> {
  const before = await detachedStatus(options.recordFile);
  if (before.kind === 'running') return before;
  await mkdir(dirname(options.recordFile), { recursive: true, mode: 0o700 });
  return withProcessLock(lockOf(options.recordFile), () => start(options));
}

async function start(options: DetachedOptions): Promise<DetachedStatus> {
  const before = await detachedStatus(options.recordFile);
  if (before.kind === 'running') return before;
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.file, options.args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    try {
      await once(child, 'spawn');
    } catch (cause) {
      throw new CommandFailedError(options.file, 'not started', String(cause), cause);
    }
    child.unref();
    await remember(options.recordFile, child.pid ?? 0);
  } finally {
    await log.close();
  }
  return detachedStatus(options.recordFile);
}

export async function detachedStatus(recordFile: string): Promise<DetachedStatus> {
  const text = await readFile(recordFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { kind: 'stopped' };
  const { pid, identity, startedAt } = record.parse(JSON.parse(text));
  return (await processIdentity(pid)) === identity
    ? { kind: 'running', pid, startedAt }
    : { kind: 'stopped' };
}

/**
 * SIGTERM, and SIGKILL after the grace time; waits for the end, also of one that somebody has started anew meanwhile. Nothing
 * happens when it does not run.
 */
export async function stopDetached(recordFile: string, graceMs = 15_000): Promise<void> {
  let told: { readonly pid: number; readonly limit: number } | undefined;
  for (;;) {
    const status = await detachedStatus(recordFile);
    if (status.kind === 'stopped') break;
    if (status.pid !== told?.pid) {
      send(status.pid, 'SIGTERM');
      told = { pid: status.pid, limit: Date.now() + graceMs };
    }
    if (Date.now() > told.limit) send(status.pid, 'SIGKILL');
    await sleep(POLL_MS);
  }
  if (!existsSync(recordFile)) return;
  await withProcessLock(lockOf(recordFile), async () => {
    if ((await detachedStatus(recordFile)).kind === 'stopped') await rm(recordFile, { force: true });
  });
}

function lockOf(recordFile: string): string {
  return `${recordFile}.lock`;
}

async function remember(recordFile: string, pid: number): Promise<void> {
  const identity = await processIdentity(pid);
  // Ended already: the caller's readiness check will say so with the log.
  if (identity === undefined) return;
  const half = `${recordFile}.${process.pid}`;
  await writeFile(half, JSON.stringify({ pid, identity, startedAt: new Date().toISOString() }), {
    mode: 0o600,
  });
  await rename(half, recordFile);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
