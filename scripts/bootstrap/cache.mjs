import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** A path in `${XDG_CACHE_HOME:-~/.cache}/chronawflow`: outside the clone, shared by all clones. */
export function cachePath(env, ...names) {
  const base = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return join(base, 'chronawflow', ...names);
}

/**
 * Makes a file of the cache: `make(staging)` works in a directory beside it and resolves with what it made, which only
 * `check` lets in, by a rename. So the cache never holds a half. To be called under a lock.
 */
export async function fillCache(target, make, check) {
  const directory = dirname(target);
  const prefix = `${basename(directory)}.partial-`;
  await mkdir(dirname(directory), { recursive: true });
  await removeLeftovers(dirname(directory), prefix);
  const staging = await mkdtemp(join(dirname(directory), prefix));
  try {
    const { program, how } = await make(staging);
    const description = await check(program);
    await mkdir(directory, { recursive: true });
    await rename(program, target);
    return { description, how };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** A killed bootstrap leaves its directory behind; whoever holds the lock sweeps. */
async function removeLeftovers(directory, prefix) {
  const leftovers = (await readdir(directory)).filter((name) => name.startsWith(prefix));
  await Promise.all(leftovers.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}
