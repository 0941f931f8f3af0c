import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, whenMissing } from '../../errors';
import type { RecoveryContext } from '../engine';
import { ScratchNotOursError } from '../errors/scratch-not-ours-error';
import { type Marker, readMarker } from './marker';
import { removeRestored } from './remove-scratch';
import { pathsIn, type ScratchPaths } from './scratch-paths.pure';

/**
 * Removes the scratch clusters on this host whose restore is no longer active: their worker was killed before it could.
 * Directories without a marker are not touched.
 *
 * @returns the restore IDs that were removed.
 */
export async function sweepScratch(
  ctx: RecoveryContext,
  isActive: (restoreId: string) => boolean | Promise<boolean>,
): Promise<string[]> {
  const directory = resolve(ctx.config.application.backup.scratchDirectory);
  const removed: string[] = [];
  for (const name of await readdir(directory).catch(whenMissing([]))) {
    const paths = pathsIn(join(directory, name));
    const marker = await markerOrWarning(ctx, paths);
    if (marker === undefined || marker.host !== hostname() || (await isActive(marker.restoreId))) continue;
    await removeRestored(paths);
    removed.push(marker.restoreId);
  }
  return removed;
}

/**
 * Removes every scratch cluster of this host in the directory, for whoever takes down all that they were made from. What is
 * not ours stays.
 */
export async function removeEveryScratch(scratchDirectory: string): Promise<void> {
  for (const name of await readdir(scratchDirectory).catch(whenMissing([]))) {
    const paths = pathsIn(join(scratchDirectory, name));
    const marker = await readMarker(paths).catch((error: unknown) => {
      if (!(error instanceof ScratchNotOursError)) throw error;
      return undefined;
    });
    if (marker?.host === hostname()) await removeRestored(paths);
  }
}

async function markerOrWarning(ctx: RecoveryContext, paths: ScratchPaths): Promise<Marker | undefined> {
  try {
    return await readMarker(paths);
  } catch (error) {
    if (!(error instanceof ScratchNotOursError)) throw error;
    ctx.log.warn(
      { directory: paths.root, error: messageOf(error) },
      'something in the scratch directory is not ours',
    );
    return undefined;
  }
}
