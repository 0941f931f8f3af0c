import {
  consistencyPath,
  HASH_BYTES,
  inclusionPath,
  type LeafRange,
  placeOf,
  rootOfSubtrees,
  rootOfTile,
  type Subtree,
  subtreesOf,
  tileIn,
} from '../merkle';
import type { LogReader } from './log-reader';

/** Hashes that prove, with `verifyInclusion`, that the entry is in the log. */
export function proveInclusion(log: LogReader, index: number): Promise<Buffer[]> {
  return hashesOf(log, inclusionPath(index, log.size));
}

/** Hashes that prove, with `verifyConsistency`, that the log of `from` entries was a prefix of this one. */
export function proveConsistency(log: LogReader, from: number): Promise<Buffer[]> {
  return hashesOf(log, consistencyPath(from, log.size));
}

async function hashesOf(log: LogReader, path: readonly LeafRange[]): Promise<Buffer[]> {
  const tiles = new Map<string, Buffer>();
  const tileOf = async (level: number, index: number) => {
    const key = `${level}/${index}`;
    const tile = tiles.get(key) ?? (await log.tile(level, index, tileIn(log.size, { level, index }).width));
    tiles.set(key, tile);
    return tile;
  };
  const hashOf = async (subtree: Subtree) => {
    const { level, index, first, count } = placeOf(subtree);
    const hashes = await tileOf(level, index);
    return rootOfTile(hashes.subarray(first * HASH_BYTES, (first + count) * HASH_BYTES));
  };
  const roots: Buffer[] = [];
  // One after the other: they may share one connection.
  for (const range of path) {
    const hashes: Buffer[] = [];
    for (const subtree of subtreesOf(range)) hashes.push(await hashOf(subtree));
    roots.push(rootOfSubtrees(hashes));
  }
  return roots;
}
