import { resolve, sep } from 'node:path';
import { startServer, stopServer } from '../../cluster';
import type { ErasuresOfTenant } from '../../erasure';
import { InvalidInputError } from '../../errors';
import { completedSince } from '../effects';
import type { RecoveryContext, StepControl } from '../engine';
import { eraseInCluster, missingErasures } from '../erase/erase-cluster';
import { connectScratch, validateScratch } from '../scratch';
import type { ServerRequest } from '../scratch/configure-server';
import { readMarker, writeMarker } from '../scratch/marker';
import { recover } from '../scratch/recover';
import { restoreFiles } from '../scratch/restore-files';
import { handleOf, serverRequest } from '../scratch/restore-scratch';
import { pathsIn, type ScratchPaths } from '../scratch/scratch-paths.pure';
import { readServerPosition } from '../target/server-position';
import type { CompletedSince, NewCluster, ResolvedTarget, ScratchHandle } from '../types';
import { promote } from './promote';

export interface ClusterRequest {
  readonly restoreId: string;
  readonly target: ResolvedTarget;
  /** Directory for the new cluster; made by this call, or by an earlier try of the same restore. */
  readonly into: string;
  /** End the recovery, so that the cluster takes writes; else it stays paused and can only be read. */
  readonly promote?: boolean;
}

export type RestoredCluster = NewCluster;

/**
 * Restores the whole cluster beside the running one, by the same steps as a scratch cluster. Archiving, subscriptions
 * and preloaded libraries are off and it listens on a local socket only: what it becomes is the operator's decision.
 * Unlike scratch it is kept, and written durably. When a step fails nothing of it keeps running.
 */
export async function restoreCluster(
  ctx: RecoveryContext,
  request: ClusterRequest,
  control: StepControl,
): Promise<RestoredCluster> {
  const { restoreId, target } = request;
  const paths = pathsIn(requireOwnPlace(ctx, request.into));
  const { segmentBytes } = await readServerPosition(ctx.application);
  await restoreFiles(ctx, { restoreId, target, paths, segmentBytes }, control);
  const server = await serverRequest(ctx, { restoreId, target, paths, durable: true });
  const handle = handleOf(ctx, restoreId, paths);
  const missing = await missingErasures(ctx, target);
  let rowsErased: number | undefined;
  const { completedSince: since, ...validation } = await orStop(server, async () => {
    const marker = await readMarker(paths);
    if (marker?.promoting !== undefined) {
      await goOnPromoting(server, handle, control);
      rowsErased = await eraseAgain(ctx, paths, handle, missing, control);
      return marker.promoting;
    }
    await recover(ctx, server, control);
    const validated = await validateScratch(ctx, handle, target, control);
    const valid = { ...validated, completedSince: await compare(ctx, handle, control) };
    if (request.promote) {
      const recovered = await readMarker(paths);
      if (recovered !== undefined) await writeMarker(paths, { ...recovered, promoting: valid });
      await promote(handle, control);
      rowsErased = await eraseAgain(ctx, paths, handle, missing, control);
    }
    return valid;
  });
  return {
    host: handle.host,
    dataDirectory: paths.dataDirectory,
    socketDirectory: paths.socketDirectory,
    port: handle.port,
    promoted: request.promote ?? false,
    validation,
    ...(since === undefined ? {} : { completedSince: since }),
    erased: {
      erasures: missing.reduce((sum, { erasures }) => sum + erasures.length, 0),
      ...(rowsErased === undefined ? {} : { rows: rowsErased }),
    },
  };
}

/** What an earlier try erased counts as well: it finds nothing of that any more. */
async function eraseAgain(
  ctx: RecoveryContext,
  paths: ScratchPaths,
  handle: ScratchHandle,
  missing: readonly ErasuresOfTenant[],
  control: StepControl,
): Promise<number> {
  const rows = await eraseInCluster(ctx, handle, missing, control);
  const marker = await readMarker(paths);
  const rowsErased = (marker?.rowsErased ?? 0) + rows;
  if (marker !== undefined) await writeMarker(paths, { ...marker, rowsErased });
  return rowsErased;
}

async function compare(
  ctx: RecoveryContext,
  handle: ScratchHandle,
  control: StepControl,
): Promise<CompletedSince> {
  const pool = connectScratch(handle, { max: 1 });
  try {
    return await completedSince(ctx, pool, control);
  } finally {
    await pool.end();
  }
}

/** An earlier try may have ended anywhere in the promotion, and recovery cannot be repeated behind it. */
async function goOnPromoting(
  { bin, paths }: ServerRequest,
  handle: ScratchHandle,
  control: StepControl,
): Promise<void> {
  await startServer({
    bin,
    dataDirectory: paths.dataDirectory,
    logFile: paths.serverLog,
    socketDirectory: paths.socketDirectory,
    port: handle.port,
    signal: control.signal,
  });
  await promote(handle, control);
}

/** Scratch is swept; what is meant to stay may not lie in it. */
function requireOwnPlace(ctx: RecoveryContext, into: string): string {
  const directory = resolve(into);
  const scratch = resolve(ctx.config.application.backup.scratchDirectory);
  if (`${directory}${sep}`.startsWith(`${scratch}${sep}`)) {
    throw new InvalidInputError(
      `${directory} lies in the scratch directory, which is cleaned up automatically`,
      {
        hint: 'Choose a directory of its own for the new cluster.',
      },
    );
  }
  return directory;
}

async function orStop<T>({ paths }: ServerRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await stopServer({ dataDirectory: paths.dataDirectory, mode: 'fast' });
    throw error;
  }
}
