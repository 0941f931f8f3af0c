import type { Pool } from 'pg';
import { createPool } from '../../../database';
import { ScratchLostError } from '../errors/scratch-lost-error';
import type { ScratchHandle } from '../types';
import { readMarkerSync } from './marker';
import { pathsIn } from './scratch-paths.pure';

export interface ScratchPoolOptions {
  readonly max?: number;
  readonly sessionSettings?: Readonly<Record<string, string>>;
}

/**
 * A pool on the application's database as it was at the target, as superuser: reading must not depend on what the
 * application's roles could see then. The server is in recovery and so refuses every write. Close it after use.
 */
export function connectScratch(scratch: ScratchHandle, options: ScratchPoolOptions = {}): Pool {
  const marker = readMarkerSync(pathsIn(scratch.directory));
  if (marker?.superuser === undefined) {
    throw new ScratchLostError(scratch.restoreId, `${scratch.directory} holds no restored cluster`);
  }
  return createPool(
    {
      host: scratch.socketDirectory,
      port: scratch.port,
      database: scratch.database,
      user: marker.superuser,
    },
    { applicationName: 'chronawflow', ...options },
  );
}
