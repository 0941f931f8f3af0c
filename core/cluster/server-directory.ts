import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { runProgram } from './run-program';
import { ServerDirectoryUnreachableError } from './server-directory-unreachable-error';
import { runsAsRoot, type ServerUser, serverUser } from './server-user';

/**
 * Makes a directory (and its parents) that belongs to the server user alone. Safe to call again.
 *
 * @throws ServerDirectoryUnreachableError when that user cannot enter one of the parents, such as a home of mode 0700.
 */
export async function makeServerDirectory(path: string): Promise<string> {
  const directory = resolve(path);
  await mkdir(directory, { recursive: true, mode: runsAsRoot() ? 0o755 : 0o700 });
  if (runsAsRoot()) {
    const user = await serverUser();
    await chown(directory, user.uid, user.gid);
  }
  await chmod(directory, 0o700);
  const closed = await closedParent(directory);
  if (closed !== undefined)
    throw new ServerDirectoryUnreachableError(directory, closed, (await serverUser()).name);
  return directory;
}

/** The first parent that the server user may not pass through; undefined when the way is open. */
export async function closedParent(path: string): Promise<string | undefined> {
  if (!runsAsRoot()) return undefined;
  const user = await serverUser();
  const parents = ancestors(resolve(path));
  for (const parent of parents) {
    // The kernel decides, so that access control lists and groups count as well as the mode.
    if (!(await mayEnter(parent, user))) return parent;
  }
  return undefined;
}

/** From the root downwards, without the path itself: "/a/b/c" → "/", "/a", "/a/b" */
export function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...ancestors(parent), parent];
}

async function mayEnter(directory: string, user: ServerUser): Promise<boolean> {
  const found = await stat(directory);
  if ((found.mode & 0o001) !== 0) return true;
  if (found.uid === user.uid) return (found.mode & 0o100) !== 0;
  return runProgram('test', ['-x', directory], { asServerUser: true }).then(
    () => true,
    () => false,
  );
}
