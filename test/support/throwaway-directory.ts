import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeServerDirectory } from '../../core/cluster';

/**
 * A directory of the server user with a short name: sockets live in it, and their paths are limited to 107 bytes.
 * TMPDIR of a machine may be long (macOS) or closed to that user, so it is /tmp.
 */
export async function throwawayDirectory(name: string): Promise<string> {
  return makeServerDirectory(await mkdtemp(join('/tmp', `cf-${name}-`)));
}

export async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 });
}
