export { edgeOf, Frontier, type Subtree, type SubtreeHash } from './frontier.pure';
export { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from './hash.pure';
export { consistencyPath, inclusionPath, type LeafRange, rootOfSubtrees, subtreesOf } from './proof.pure';
export {
  bundlePath,
  type PlaceInTile,
  placeOf,
  TILE_HEIGHT,
  TILE_WIDTH,
  type Tile,
  tileIn,
  tilePath,
  tilesOf,
  tilesOfLevel,
} from './tiles.pure';
export {
  type ConsistencyClaim,
  type InclusionClaim,
  verifyConsistency,
  verifyInclusion,
} from './verify-proof.pure';
