import { Frontier, type Subtree } from './frontier.pure';
import { splitHashes } from './hash.pure';

/** Hashes in a full tile, and entries in a full bundle. Source: C2SP tlog-tiles. */
export const TILE_WIDTH = 256;
/** Levels of the tree that one tile spans: 2^8 = 256. */
export const TILE_HEIGHT = 8;

export interface Tile {
  /** 0 for leaf hashes; each hash of level n is the root of a full tile of level n - 1. */
  readonly level: number;
  readonly index: number;
  /** Hashes in it, 1 to 256. */
  readonly width: number;
}

/** `tile/0/x001/x234/067.p/8` */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${indexPath(index)}${widthSuffix(width)}`;
}

/** `tile/entries/x001/x234/067.p/8` */
export function bundlePath({ index, width }: Pick<Tile, 'index' | 'width'>): string {
  return `tile/entries/${indexPath(index)}${widthSuffix(width)}`;
}

/** Level by level from the leaves, each from the left: the tiles of a tree of this size. */
export function* tilesOf(size: number): Generator<Tile> {
  let hashes = size;
  for (let level = 0; hashes > 0; level += 1) {
    yield* tilesOfLevel(level, hashes);
    hashes = Math.floor(hashes / TILE_WIDTH);
  }
}

/** The tiles that hold `hashes` hashes of a level. */
export function* tilesOfLevel(level: number, hashes: number): Generator<Tile> {
  const full = Math.floor(hashes / TILE_WIDTH);
  for (let index = 0; index < full; index += 1) yield { level, index, width: TILE_WIDTH };
  const rest = hashes % TILE_WIDTH;
  if (rest > 0) yield { level, index: full, width: rest };
}

/** Where a subtree's hash is found: it is the root of `count` hashes of a tile, from the `first`-th on. */
export interface PlaceInTile {
  readonly level: number;
  readonly index: number;
  readonly first: number;
  readonly count: number;
}

export function placeOf({ level, index }: Subtree): PlaceInTile {
  const count = 2 ** (level % TILE_HEIGHT);
  const start = index * count;
  return {
    level: Math.floor(level / TILE_HEIGHT),
    index: Math.floor(start / TILE_WIDTH),
    first: start % TILE_WIDTH,
    count,
  };
}

/** The tile as wide as a tree of this size has it. */
export function tileIn(size: number, { level, index }: Pick<Tile, 'level' | 'index'>): Tile {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
}

/** Groups of three digits; all but the last begin with an x, so that no file has the name of a directory. */
function indexPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
}

function widthSuffix(width: number): string {
  return width === TILE_WIDTH ? '' : `.p/${width}`;
}

/** @param hashes of a tile, or of a part of it that is a complete subtree, one after the other. */
export function rootOfTile(hashes: Buffer): Buffer {
  return Frontier.empty.append(splitHashes(hashes)).root;
}
