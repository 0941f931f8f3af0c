import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../errors';
import { bundlePath, bytesOf, HASH_BYTES, TILE_WIDTH, tilePath, tilesOf, tilesOfLevel } from '../merkle';
import { parseCheckpoint, parseNote } from '../note';
import { type Bundle, PackedBundle } from './bundle';
import { type ExportTarget, sizeInName } from './export-target';
import { LogDamagedError } from './log-damaged-error';
import type { LogReader } from './log-reader';

const LENGTH_BYTES = 2;
/** No entry is longer than its length can say, so no bundle is longer than this. */
const MAX_BUNDLE_BYTES = TILE_WIDTH * (LENGTH_BYTES + 0xffff);
const MAX_NOTE_BYTES = 256 * 1024;

/**
 * A log as C2SP tlog-tiles lays it out in a directory. The directory is not trusted: paths are computed, never read from it,
 * and no file is read beyond what it may have.
 */
export class ExportedLog implements LogReader {
  readonly keepsLeafHashes = true;

  private constructor(
    private readonly directory: string,
    readonly origin: string,
    readonly size: number,
    readonly minimumIndex: number,
    readonly note: string,
  ) {}

  /**
   * @param of where exports are added to one directory: the one at this size of the platform log, else the newest
   * @throws NoteInvalidError, LogDamagedError
   */
  static async open(directory: string, of?: number): Promise<ExportedLog> {
    const note = readAtMost(checkpointOf(directory, of), MAX_NOTE_BYTES, directory);
    const { origin, size } = parseCheckpoint(parseNote(note).text);
    return new ExportedLog(directory, origin, size, minimumIndexOf(directory, size), note.toString());
  }

  async bundle(index: number, width: number): Promise<Bundle> {
    const path = bundlePath({ index, width });
    const bundle = PackedBundle.parse(readAtMost(join(this.directory, path), MAX_BUNDLE_BYTES, this.origin));
    if (bundle === undefined) throw new LogDamagedError(this.origin, `${path} is cut short`);
    if (bundle.length !== width)
      throw new LogDamagedError(this.origin, `${path} has ${bundle.length} of ${width} entries`);
    return bundle;
  }

  async tile(level: number, index: number, width: number): Promise<Buffer> {
    const path = tilePath({ level, index, width });
    const bytes = readAtMost(join(this.directory, path), TILE_WIDTH * HASH_BYTES, this.origin);
    if (bytes.length !== width * HASH_BYTES) {
      throw new LogDamagedError(this.origin, `${path} has ${bytes.length} bytes, not ${width * HASH_BYTES}`);
    }
    return bytes;
  }
}

/** Whether the log was part of the export at this size of the platform log; in a directory of one export it always was. */
export function isExportedAt(directory: string, size: number): boolean {
  return exportsIn(directory)?.some((name) => sizeInName(name) === size) ?? true;
}

function checkpointOf(directory: string, of: number | undefined): string {
  const path = join(directory, 'checkpoint');
  const names = exportsIn(directory);
  if (names === undefined) return path;
  const size = of ?? Math.max(...names.map((name) => sizeInName(name) ?? -1));
  return join(path, names.find((name) => sizeInName(name) === size) ?? String(size));
}

/** Of a directory that exports are added to, the names of its checkpoints; undefined for one that has a single one. */
function exportsIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(join(directory, 'checkpoint'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** How far entries are missing from the first one on while the tiles of their hashes are there. Whether they may be, nobody says here. */
function minimumIndexOf(directory: string, size: number): number {
  const has = (path: string) => existsSync(join(directory, path));
  let index = 0;
  for (; (index + 1) * TILE_WIDTH <= size; index += 1) {
    const place = { index, width: TILE_WIDTH };
    if (has(bundlePath(place)) || !has(tilePath({ level: 0, ...place }))) break;
  }
  return index * TILE_WIDTH;
}

/**
 * Writes a log below a path, its checkpoint last: what has one is complete.
 *
 * @param at of the platform log, as of which it is exported
 * @param progress is told after each bundle how many entries are written.
 */
export async function exportLog(
  log: LogReader,
  target: ExportTarget,
  { below, at }: { readonly below: string; readonly at: number },
  progress: (entries: number) => void = () => undefined,
): Promise<void> {
  for (const { index, width } of tilesOfLevel(0, log.size)) {
    const tile = join(below, tilePath({ level: 0, index, width }));
    if (index * TILE_WIDTH < log.minimumIndex) {
      await target.put(tile, await log.tile(0, index, width));
    } else {
      const { bytes, digests } = await log.bundle(index, width);
      await target.put(join(below, bundlePath({ index, width })), bytes);
      await target.put(tile, bytesOf(digests.join('')));
    }
    progress(index * TILE_WIDTH + width);
  }
  for (const tile of tilesOf(log.size)) {
    if (tile.level === 0) continue;
    const hashes = await log.tile(tile.level, tile.index, tile.width);
    await target.put(join(below, tilePath(tile)), hashes);
  }
  await target.putOf(at, join(below, 'checkpoint'), log.note);
}

/**
 * Two small files for 256 entries: at one go each takes 30 µs, and four promises that take turns with a thread pool five times
 * that. It was a third of the verification.
 *
 * @throws LogDamagedError for a file that is missing, no file, or longer
 */
function readAtMost(path: string, limit: number, origin: string): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    if (size > limit) throw new LogDamagedError(origin, `${path} is longer than it can be`);
    const bytes = Buffer.allocUnsafe(size);
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read) {
      read = readSync(file, bytes, length, size - length, null);
    }
    return bytes.subarray(0, length);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) {
      throw new LogDamagedError(origin, `${path} is missing`);
    }
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
