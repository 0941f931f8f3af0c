import { chmod, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { closedParent, makeServerDirectory } from '../cluster';
import { needsOtherSocketDirectory, type StackLayout, stackLayout } from './layout.pure';
import type { StackState } from './state';

/**
 * Where a stack's files go. The servers' data belongs into the stack's own directory; when we are root and the server
 * user cannot get there (a checkout in a home of mode 0700), it goes to a directory of its own under /var/tmp, which
 * outlives a reboot. The choice is remembered, see StackState.
 */
export async function choosePlaces(
  directory: string,
  before: Pick<StackState, 'servers' | 'sockets'> | undefined,
): Promise<StackLayout> {
  const home = resolve(directory);
  await mkdir(home, { recursive: true });
  const servers = before?.servers ?? (await newServerDirectory(home));
  const sockets =
    before?.sockets ?? (needsOtherSocketDirectory(servers) ? await newSocketDirectory() : undefined);
  await makeServerDirectory(servers);
  return stackLayout(home, servers, sockets);
}

async function newServerDirectory(home: string): Promise<string> {
  const inside = join(home, 'servers');
  if ((await closedParent(inside)) === undefined) return inside;
  return mkdtemp(join('/var/tmp', 'chronawflow-'));
}

async function newSocketDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'chronawflow-'));
  // A TMPDIR may be deep as well.
  if (!needsOtherSocketDirectory(directory)) return directory;
  const short = await mkdtemp('/tmp/chronawflow-');
  await chmod(short, 0o700);
  return short;
}
