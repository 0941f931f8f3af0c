import { bytesOf, Frontier, leafDigest, TILE_HEIGHT } from '../merkle';

/** A tree as it is kept between two batches. */
export interface LogState {
  readonly size: number;
  readonly edge: readonly Buffer[];
}

export interface GrownLog extends LogState {
  readonly root: Buffer;
  /** Roots of the full tiles that the new entries completed, by the level of the tile they are a hash of. */
  readonly subtrees: readonly { readonly level: number; readonly index: number; readonly hash: Buffer }[];
}

/** The tree after these entries. */
export function growLog(log: LogState, entries: readonly Buffer[]): GrownLog {
  const subtrees: { level: number; index: number; hash: Buffer }[] = [];
  const frontier = Frontier.of(log.size, log.edge).append(entries.map(leafDigest), (level, index, digest) => {
    if (level % TILE_HEIGHT === 0)
      subtrees.push({ level: level / TILE_HEIGHT, index, hash: bytesOf(digest) });
  });
  return { size: frontier.size, edge: frontier.hashes, root: frontier.root, subtrees };
}
