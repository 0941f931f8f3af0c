import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const HEARTBEAT_MS = 10_000;
/** An owner that has not been heard of for six heartbeats is dead, whatever has its process id now. */
const DEAD_AFTER_MS = 60_000;
const POLL_MS = 250;

/**
 * Runs `work` while holding a lock file, so that two bootstraps at once do not do the same slow thing twice.
 *
 * The lock saves time; it does not guard the result. Two processes that both find a dead owner at the same moment may,
 * once in a blue moon, both go on: whatever is made under the lock must therefore appear by an atomic rename.
 */
export async function exclusively(path, { note, signal } = {}, work) {
  const release = await acquire(path, note, signal);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(path, note, signal) {
  await mkdir(dirname(path), { recursive: true });
  const token = randomUUID();
  let told = false;
  while (!(await create(path, token))) {
    const owner = await readOwner(path);
    if (owner === undefined) continue;
    if (!isAlive(owner)) {
      await removeDead(path);
      continue;
    }
    if (!told) note?.(`waiting for process ${owner.pid}, which is preparing the same`);
    told = true;
    await delay(POLL_MS, undefined, { signal });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A lock that cannot be touched was taken over; the work goes on, see above.
    utimes(path, now, now).catch(() => clearInterval(heartbeat));
  }, HEARTBEAT_MS);
  return async () => {
    clearInterval(heartbeat);
    if ((await readOwner(path))?.token === token) await rm(path, { force: true });
  };
}

/** Creates the lock together with its content: a hard link is atomic and fails where the name is taken. */
async function create(path, token) {
  const own = `${path}.${token}`;
  await writeFile(own, JSON.stringify({ token, pid: process.pid, host: hostname() }));
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

async function readOwner(path) {
  try {
    const [content, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { ...JSON.parse(content), heardMs: Date.now() - mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(owner) {
  if (owner.heardMs > DEAD_AFTER_MS) return false;
  return owner.host !== hostname() || processExists(owner.pid);
}

function processExists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** A rename has one winner; the losers find nothing and try again to create the lock. */
async function removeDead(path) {
  const aside = `${path}.dead-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  await rm(aside, { force: true });
}
