import { hostname } from 'node:os';
import { findPostgresBin, serverStatus } from '../../cluster';
import { bothEnded } from '../both-ended';
import type { RecoveryContext, StepControl } from '../engine';
import { ScratchLostError } from '../errors/scratch-lost-error';
import { readServerPosition } from '../target/server-position';
import type { ResolvedTarget, ScratchHandle } from '../types';
import type { ServerRequest } from './configure-server';
import { lookAtRecovery } from './inspect-server';
import { readMarker } from './marker';
import { readPrimary } from './read-primary';
import { recover } from './recover';
import { restoreFiles } from './restore-files';
import { pathsIn, SCRATCH_PORT, type ScratchPaths, scratchPaths } from './scratch-paths.pure';

/** Restores the backup into scratch and recovers it up to the target; a second call finds it running or goes on. */
export async function restoreScratch(
  ctx: RecoveryContext,
  restoreId: string,
  target: ResolvedTarget,
  control: StepControl,
): Promise<ScratchHandle> {
  const paths = scratchPaths(ctx.config.application.backup.scratchDirectory, restoreId);
  const { segmentBytes } = await readServerPosition(ctx.application);
  const [request] = await bothEnded(
    serverRequest(ctx, { restoreId, target, paths, durable: false }),
    restoreFiles(ctx, { restoreId, target, paths, segmentBytes }, control),
  );
  await recover(ctx, request, control);
  return handleOf(ctx, restoreId, paths);
}

/** Starts a scratch server again that died, from its own files and to the same target. */
export async function ensureScratch(
  ctx: RecoveryContext,
  handle: ScratchHandle,
  target: ResolvedTarget,
  control: StepControl = {},
): Promise<ScratchHandle> {
  if (handle.host !== hostname()) {
    throw new ScratchLostError(
      handle.restoreId,
      `it was restored on host ${handle.host}, this is ${hostname()}`,
    );
  }
  const paths = pathsIn(handle.directory);
  const marker = await readMarker(paths);
  if (marker === undefined) throw new ScratchLostError(handle.restoreId, `${handle.directory} is not there`);
  const { restoreId } = handle;
  const status = await serverStatus(paths.dataDirectory);
  // Once it has run, its marker says as whom to log in.
  const known = status.kind === 'running' && status.ready && marker.superuser !== undefined;
  if (known && (await lookAtRecovery({ restoreId, paths }))?.paused) return handle;
  await recover(ctx, await serverRequest(ctx, { restoreId, target, paths, durable: false }), control);
  return handle;
}

/** Adds what has to be looked up: the application's cluster as it is, and programs of its major version. */
export async function serverRequest(
  ctx: RecoveryContext,
  known: Pick<ServerRequest, 'restoreId' | 'target' | 'paths' | 'durable'>,
): Promise<ServerRequest> {
  const primary = await readPrimary(ctx.application);
  const bin = await findPostgresBin(ctx.config.application.backup.postgresBin, { major: primary.major });
  return { ...known, bin, primary };
}

export function handleOf(ctx: RecoveryContext, restoreId: string, paths: ScratchPaths): ScratchHandle {
  return {
    restoreId,
    host: hostname(),
    directory: paths.root,
    socketDirectory: paths.socketDirectory,
    port: SCRATCH_PORT,
    database: ctx.config.application.database.database,
  };
}
