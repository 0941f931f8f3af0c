import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { RestorePlace } from '../backup/provider';

/** Every path of one scratch cluster, derived from its restore ID alone. */
export interface ScratchPaths extends RestorePlace {
  readonly root: string;
  readonly marker: string;
  readonly socketDirectory: string;
  readonly serverLog: string;
}

/** Its own directory holds the socket, so every scratch server can have the same port. */
export const SCRATCH_PORT = 5432;

/** File names are limited to 255 bytes; this leaves room and stays readable. */
const NAME_LIMIT = 120;
/** sun_path holds 107 bytes: the socket's directory, a slash, and ".s.PGSQL.65535". */
const SOCKET_DIRECTORY_LIMIT = 107 - '/.s.PGSQL.65535'.length;

/** `restore/acme/7` → `restore%2Facme%2F7`; different IDs never share a directory. */
export function scratchName(restoreId: string): string {
  // A leading dot would allow '..'; percent-encoding keeps the name one path segment.
  const encoded = encodeURIComponent(restoreId).replace(/^\./, '%2E');
  return encoded.length <= NAME_LIMIT ? encoded : `${encoded.slice(0, 60)}-${digest(restoreId)}`;
}

export function scratchPaths(scratchDirectory: string, restoreId: string): ScratchPaths {
  return pathsIn(join(resolve(scratchDirectory), scratchName(restoreId)));
}

export function pathsIn(root: string): ScratchPaths {
  const inside = join(root, 'socket');
  return {
    root,
    marker: join(root, 'chronawflow-scratch.json'),
    dataDirectory: join(root, 'data'),
    tablespaceDirectory: join(root, 'tablespaces'),
    lockDirectory: join(root, 'lock'),
    logDirectory: join(root, 'log'),
    spoolDirectory: join(root, 'spool'),
    serverLog: join(root, 'log', 'postgres.log'),
    // Not os.tmpdir(): that one may be long itself, which is the reason to leave the root.
    socketDirectory: Buffer.byteLength(inside) <= SOCKET_DIRECTORY_LIMIT ? inside : `/tmp/cf-${digest(root)}`,
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
