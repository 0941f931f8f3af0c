export { edgeOf, Frontier, type OnComplete, type Subtree } from './frontier.pure';
export {
  bytesOf,
  type Digest,
  digestOf,
  EMPTY_ROOT,
  HASH_BYTES,
  leafDigest,
  leafDigestWithin,
  leafHash,
  nodeHash,
  splitHashes,
} from './hash.pure';
export { consistencyPath, inclusionPath, type LeafRange, rootOfSubtrees, subtreesOf } from './proof.pure';
export {
  bundlePath,
  type PlaceInTile,
  placeOf,
  rootOfTile,
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
