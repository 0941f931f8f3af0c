import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from '../../errors';
import { bundlePath, bytesOf, HASH_BYTES, TILE_WIDTH, tilePath, tilesOf, tilesOfLevel } from '../merkle';
import { parseCheckpoint, parseNote } from '../note';
import { type Bundle, PackedBundle } from './bundle';
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

  /** @throws NoteInvalidError, LogDamagedError */
  static async open(directory: string): Promise<ExportedLog> {
    const note = readAtMost(join(directory, 'checkpoint'), MAX_NOTE_BYTES, directory);
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
 * Writes a log into a directory, its checkpoint last: what has one is complete.
 *
 * @param progress is told after each bundle how many entries are written.
 */
export async function exportLog(
  log: LogReader,
  directory: string,
  progress: (entries: number) => void = () => undefined,
): Promise<void> {
  for (const { index, width } of tilesOfLevel(0, log.size)) {
    if (index * TILE_WIDTH < log.minimumIndex) {
      await write(join(directory, tilePath({ level: 0, index, width })), await log.tile(0, index, width));
      progress(index * TILE_WIDTH + width);
      continue;
    }
    const { bytes, digests } = await log.bundle(index, width);
    await write(join(directory, bundlePath({ index, width })), bytes);
    await write(join(directory, tilePath({ level: 0, index, width })), bytesOf(digests.join('')));
    progress(index * TILE_WIDTH + width);
  }
  for (const tile of tilesOf(log.size)) {
    if (tile.level === 0) continue;
    await write(join(directory, tilePath(tile)), await log.tile(tile.level, tile.index, tile.width));
  }
  await write(join(directory, 'checkpoint'), log.note);
}

async function write(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
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
