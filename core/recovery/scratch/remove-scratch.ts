import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serverStatus, stopServer } from '../../cluster';
import { hasCode, whenMissing } from '../../errors';
import type { RecoveryContext } from '../engine';
import { endLeftovers } from './leftover-processes';
import { readMarker } from './marker';
import { type ScratchPaths, scratchPaths } from './scratch-paths.pure';

const POLL_MS = 25;
/** Processes of a server whose postmaster was killed; they are told to end and need no longer than this. */
const ORPHAN_LIMIT_MS = 30_000;

/** Stops the server and removes everything of it; nothing happens when there is none. */
export async function removeScratch(ctx: RecoveryContext, restoreId: string): Promise<void> {
  await removeRestored(scratchPaths(ctx.config.application.backup.scratchDirectory, restoreId));
}

/** @throws ScratchNotOursError for a directory without a marker. */
export async function removeRestored(paths: ScratchPaths): Promise<void> {
  await readMarker(paths);
  await stop(paths);
  // Behind the server, whose last archive-get may have started a fetcher.
  await endLeftovers(paths.dataDirectory);
  await removeFiles(paths);
}

async function stop(paths: ScratchPaths): Promise<void> {
  await stopServer({ dataDirectory: paths.dataDirectory, mode: 'immediate' });
  await endOrphans(paths.dataDirectory);
}

async function endOrphans(dataDirectory: string): Promise<void> {
  const limit = Date.now() + ORPHAN_LIMIT_MS;
  for (;;) {
    const status = await serverStatus(dataDirectory);
    if (status.kind === 'running' || status.orphans.length === 0 || Date.now() > limit) return;
    for (const pid of status.orphans) kill(pid);
    await sleep(POLL_MS);
  }
}

/** The marker goes last: a removal that is cut short can be repeated. */
async function removeFiles(paths: ScratchPaths): Promise<void> {
  const names = await readdir(paths.root).catch(whenMissing([]));
  const contents = names.filter((name) => name !== basename(paths.marker));
  await Promise.all(contents.map((name) => remove(join(paths.root, name))));
  if (await isDirectory(paths.socketDirectory)) await remove(paths.socketDirectory);
  await remove(paths.marker);
  await remove(paths.root);
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 });
}

/** Not through a link: outside the root the socket directory's name could be somebody else's. */
async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then((found) => found.isDirectory(), whenMissing(false));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
