import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { hasCode, whenMissing } from '../errors';
import { processIdentity } from './process-identity';
import { ProcessLockHeldError } from './process-lock-held-error';

const holder = z.strictObject({ pid: z.number().int(), identity: z.string() });

const POLL_MS = 20;
/** What is done under a lock is short; a holder that stands still for so long is told of. */
const LIMIT_MS = 30_000;

/**
 * Lets one caller of this host at a time do something, whichever process it is in. A holder that was killed holds nothing: the
 * next one goes on, and nobody has to clear away.
 *
 * The directory holds numbered turns. A turn is taken by linking the next number, which succeeds for one, once the last turn was
 * given back (`7.free`) or its process is dead. The last one is never removed, so a turn that was taken late is seen to be late.
 * Giving back is a rename, which needs no room on the disk.
 *
 * @throws ProcessLockHeldError when a living process holds it until the limit
 */
export async function withProcessLock<T>(
  directory: string,
  action: () => Promise<T>,
  limitMs = LIMIT_MS,
): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const place = await take(directory, limitMs);
  try {
    return await action();
  } finally {
    // Gone when somebody has removed the whole place.
    await rename(place, `${place}.free`).catch(whenMissing(undefined));
  }
}

async function take(directory: string, limitMs: number): Promise<string> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const last = lastOf(await turns(directory));
    if (last === undefined || (await isOver(directory, last.number))) {
      const place = await takeNext(directory, (last?.number ?? 0) + 1);
      if (place !== undefined) return place;
    }
    if (performance.now() > limit) throw new ProcessLockHeldError(directory, limitMs);
    await sleep(POLL_MS);
  }
}

/** @returns its file; undefined when somebody else has this turn, or has had it already. */
async function takeNext(directory: string, number: number): Promise<string | undefined> {
  const place = join(directory, String(number));
  if (!(await linkHolder(directory, place))) return undefined;
  const others = (await turns(directory)).filter(({ name }) => name !== String(number));
  if (others.some((other) => other.number >= number)) {
    await rm(place, { force: true });
    return undefined;
  }
  for (const { name } of others) await rm(join(directory, name), { force: true });
  await removeHalves(directory);
  return place;
}

/** Of processes that were killed before they could link it. */
async function removeHalves(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /^(\d+)-.*\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && (await processIdentity(Number(pid))) === undefined)
      await rm(join(directory, name), { force: true });
  }
}

interface Turn {
  readonly name: string;
  readonly number: number;
}

async function turns(directory: string): Promise<Turn[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => /^\d+(\.free)?$/.test(name))
    .map((name) => ({ name, number: parseInt(name, 10) }));
}

function lastOf(all: readonly Turn[]): Turn | undefined {
  return all.reduce<Turn | undefined>(
    (last, one) => (last && last.number > one.number ? last : one),
    undefined,
  );
}

async function isOver(directory: string, number: number): Promise<boolean> {
  const place = join(directory, String(number));
  const text = await readFile(place, 'utf8').catch(whenMissing(undefined));
  // Given back; or removed by who has the next turn, which then is found to be taken.
  if (text === undefined) return true;
  const { pid, identity } = holder.parse(JSON.parse(text));
  return (await processIdentity(pid)) !== identity;
}

/** @returns whether this process is now written down there; never half of it. */
async function linkHolder(directory: string, place: string): Promise<boolean> {
  const identity = await processIdentity(process.pid);
  const whole = join(directory, `${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  await writeFile(whole, JSON.stringify({ pid: process.pid, identity }), { mode: 0o600 });
  try {
    await link(whole, place);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(whole, { force: true });
  }
}
