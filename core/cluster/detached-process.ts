import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { hasCode } from '../errors';
import { processIdentity } from './process-identity';
import { withProcessLock } from './process-lock';
import { type DetachedOptions, spawnRecorded } from './spawn-recorded';

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
  const child = await spawnRecorded(options);
  for (;;) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    const status = await detachedStatus(options.recordFile);
    // One that has ended already is told of by the caller's readiness check, with the log.
    if (ended || status.kind === 'running') return status;
    await sleep(POLL_MS);
  }
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

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
