import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeServerDirectory } from '../../cluster';
import { backupProvider } from '../backup/backup-provider';
import { RestoreCannotWriteError } from '../backup/pgbackrest/cannot-write-error';
import { parseSegment } from '../backup/segment.pure';
import { bothEnded } from '../both-ended';
import type { RecoveryContext, StepControl } from '../engine';
import { BackupDamagedError } from '../errors/backup-damaged-error';
import { ScratchNotOursError } from '../errors/scratch-not-ours-error';
import type { ResolvedTarget } from '../types';
import { refuseWhenFull, requireSpace, type SpaceNeed } from './disk-space';
import { endLeftovers } from './leftover-processes';
import { newMarker, readMarker, targetKey, writeMarker } from './marker';
import type { ScratchPaths } from './scratch-paths.pure';

export interface FilesRequest {
  readonly restoreId: string;
  readonly target: ResolvedTarget;
  readonly paths: ScratchPaths;
  readonly segmentBytes: number;
}

/**
 * Puts the backup's files into the directory. A restore that was cut short is resumed, one that is complete is left as
 * it is, one of another target is wiped. The marker comes first, so nothing of somebody else is ever written to.
 */
export async function restoreFiles(
  ctx: RecoveryContext,
  request: FilesRequest,
  control: StepControl,
): Promise<void> {
  const { paths, target, restoreId } = request;
  const marker = await readMarker(paths);
  if (marker !== undefined && marker.restoreId !== restoreId) {
    throw new ScratchNotOursError(paths.root, `it belongs to restore ${marker.restoreId}`);
  }
  await makeServerDirectory(paths.root);
  const sameTarget = marker?.target === targetKey(target);
  if (marker?.state === 'restored' && sameTarget) return;
  const fresh = newMarker(restoreId, target);
  await writeMarker(paths, fresh);
  const [need] = await bothEnded(spaceNeed(ctx, request, control), clearPlace(paths, !sameTarget));
  await requireSpace(paths.root, need);
  const resume = await isResumable(paths.dataDirectory);
  if (!resume) await empty(paths.dataDirectory);
  const provider = backupProvider(ctx.config.application.backup);
  try {
    await provider.restore({ target, place: paths, resume }, control);
  } catch (error) {
    if (error instanceof RestoreCannotWriteError) await refuseWhenFull(paths.root, need, error);
    throw error;
  }
  await writeMarker(paths, { ...fresh, state: 'restored' });
}

/** Nobody is at work there any more, nothing is there that shall not be resumed, and every directory is. */
async function clearPlace(paths: ScratchPaths, anew: boolean): Promise<void> {
  await endLeftovers(paths.dataDirectory);
  if (anew) await wipe(paths);
  const directories = [
    paths.dataDirectory,
    paths.tablespaceDirectory,
    paths.lockDirectory,
    paths.logDirectory,
    paths.spoolDirectory,
    paths.socketDirectory,
  ];
  await Promise.all(directories.map(makeServerDirectory));
}

/** pgBackRest goes on only where it finds what it wrote itself; killed before that, there is nothing worth keeping. */
async function isResumable(dataDirectory: string): Promise<boolean> {
  const names = await readdir(dataDirectory);
  return names.includes('PG_VERSION') || names.includes('backup.manifest');
}

async function wipe(paths: ScratchPaths): Promise<void> {
  for (const directory of [paths.dataDirectory, paths.tablespaceDirectory, paths.spoolDirectory]) {
    await rm(directory, { recursive: true, force: true });
  }
}

async function empty(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory))
    await rm(join(directory, name), { recursive: true, force: true });
}

async function spaceNeed(
  ctx: RecoveryContext,
  { target, segmentBytes }: FilesRequest,
  control: StepControl,
): Promise<SpaceNeed> {
  const clusterBytes = target.clusterBytes ?? (await backedUpBytes(ctx, target, control));
  return { clusterBytes, segments: segmentCount(target, segmentBytes), segmentBytes };
}

async function backedUpBytes(
  ctx: RecoveryContext,
  target: ResolvedTarget,
  control: StepControl,
): Promise<number> {
  const provider = backupProvider(ctx.config.application.backup);
  const { backups } = await provider.content(target.systemId, control);
  const backup = backups.find((candidate) => candidate.label === target.backupLabel);
  if (backup === undefined) {
    throw new BackupDamagedError(provider.name, [target.backupLabel], `backup ${target.backupLabel} is gone`);
  }
  return backup.clusterBytes;
}

/** How many segments recovery may read, from the backup's first to the fence's. */
export function segmentCount(target: ResolvedTarget, segmentBytes: number): number {
  const first = parseSegment(target.firstSegment, segmentBytes)?.number ?? 0n;
  const last = parseSegment(target.fenceSegment, segmentBytes)?.number ?? first;
  return Number(last - first) + 1;
}
