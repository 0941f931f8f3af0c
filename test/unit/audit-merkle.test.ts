import fc from 'fast-check';
import {
  bundlePath,
  bytesOf,
  consistencyPath,
  digestOf,
  EMPTY_ROOT,
  edgeOf,
  Frontier,
  inclusionPath,
  type LeafRange,
  leafDigest,
  leafHash,
  nodeHash,
  placeOf,
  rootOfSubtrees,
  subtreesOf,
  tilePath,
  tilesOf,
  verifyConsistency,
  verifyInclusion,
} from '../../core/audit/merkle';
import { naiveConsistency, naiveInclusion, naiveRoot } from '../support/naive-merkle';

/** A tree with all its complete subtrees at hand. */
class Grown {
  private readonly nodes = new Map<string, Buffer>();
  readonly frontier: Frontier;

  constructor(readonly entries: readonly Buffer[]) {
    const leaves = entries.map(leafDigest);
    for (const [index, leaf] of leaves.entries()) this.nodes.set(`0/${index}`, bytesOf(leaf));
    this.frontier = Frontier.empty.append(leaves, (level, index, digest) =>
      this.nodes.set(`${level}/${index}`, bytesOf(digest)),
    );
  }

  hashOf(range: LeafRange): Buffer {
    return rootOfSubtrees(subtreesOf(range).map(({ level, index }) => this.node(level, index)));
  }

  node(level: number, index: number): Buffer {
    const hash = this.nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`subtree ${level}/${index} is not complete`);
    return hash;
  }
}

const entries = (max: number) =>
  fc.array(fc.uint8Array({ maxLength: 8 }).map(Buffer.from), { maxLength: max });

/** A tree of at least one entry, and a size up to its own. */
const treeAndPart = fc
  .array(fc.uint8Array({ maxLength: 8 }).map(Buffer.from), { minLength: 1, maxLength: 300 })
  .chain((all) => fc.record({ all: fc.constant(all), part: fc.integer({ min: 0, max: all.length }) }));

test('the root is that of RFC 6962 at every size, however the leaves arrive', () => {
  fc.assert(
    fc.property(entries(300), fc.integer({ min: 0, max: 300 }), (all, cut) => {
      const leaves = all.map(leafDigest);
      const inTwo = Frontier.empty.append(leaves.slice(0, cut)).append(leaves.slice(cut));
      expect(inTwo.root).toEqual(naiveRoot(all));
      expect(inTwo.size).toBe(all.length);
      expect(Frontier.of(inTwo.size, inTwo.hashes).root).toEqual(inTwo.root);
    }),
  );
});

test('a subtree whose leaves are not looked at counts for them', () => {
  fc.assert(
    fc.property(entries(200), fc.integer({ min: 0, max: 6 }), (all, level) => {
      const leaves = all.map(leafDigest);
      const width = 2 ** level;
      const whole = Math.floor(leaves.length / width);
      let frontier = Frontier.empty;
      for (let i = 0; i < whole; i += 1) {
        const { root } = Frontier.empty.append(leaves.slice(i * width, (i + 1) * width));
        frontier = frontier.appendSubtree(level, digestOf(root));
      }
      expect(frontier.append(leaves.slice(whole * width)).root).toEqual(naiveRoot(all));
    }),
  );
  expect(() => Frontier.empty.append([leafDigest(Buffer.of(1))]).appendSubtree(1, '')).toThrow('begins at 1');
});

test('proofs are those of RFC 6962, and verify', () => {
  fc.assert(
    fc.property(treeAndPart, ({ all, part }) => {
      const tree = new Grown(all);
      const { root } = tree.frontier;
      const consistency = consistencyPath(part, all.length).map((range) => tree.hashOf(range));
      expect(consistency).toEqual(naiveConsistency(part, all));
      const from = { size: part, root: naiveRoot(all.slice(0, part)) };
      const claim = { from, to: { size: all.length, root }, proof: consistency };
      expect(verifyConsistency(claim)).toBe(true);
      if (part === all.length) return;

      const proof = inclusionPath(part, all.length).map((range) => tree.hashOf(range));
      expect(proof).toEqual(naiveInclusion(part, all));
      const leaf = leafHash(all[part] ?? Buffer.alloc(0));
      expect(verifyInclusion({ index: part, size: all.length, leafHash: leaf, root, proof })).toBe(true);
    }),
  );
});

test('no proof verifies for another leaf, index, size or root, or with a hash changed, added or left out', () => {
  fc.assert(
    fc.property(treeAndPart, fc.nat(), ({ all, part }, pick) => {
      const size = all.length;
      const tree = new Grown(all);
      const { root } = tree.frontier;
      const index = Math.min(part, size - 1);
      const honest = {
        index,
        size,
        root,
        leafHash: leafHash(all[index] ?? Buffer.alloc(0)),
        proof: inclusionPath(index, size).map((range) => tree.hashOf(range)),
      };
      for (const changed of [
        { leafHash: flip(honest.leafHash, pick) },
        { root: flip(root, pick) },
        { proof: [...honest.proof, root] },
        ...(honest.proof.length > 0 ? [{ proof: honest.proof.slice(1) }] : []),
        ...honest.proof.map((_, i) => ({ proof: honest.proof.map((h, j) => (i === j ? flip(h, pick) : h)) })),
        // Size and root belong together: a checkpoint signs both, so a wrong size alone is not this check's to find.
        { index: size },
        { index: -1 },
        { index: 0.5 },
        { size: Number.NaN },
      ]) {
        expect(verifyInclusion({ ...honest, ...changed })).toBe(false);
      }

      const from = { size: part, root: naiveRoot(all.slice(0, part)) };
      const to = { size, root };
      const proof = consistencyPath(part, size).map((range) => tree.hashOf(range));
      for (const changed of [
        ...(part > 0 ? [{ from: { ...from, root: flip(from.root, pick) } }] : []),
        ...(part > 0 ? [{ to: { ...to, root: flip(root, pick) } }] : []),
        { proof: [...proof, root] },
        ...(proof.length > 0 ? [{ proof: proof.slice(0, -1) }] : []),
        ...proof.map((_, i) => ({ proof: proof.map((h, j) => (i === j ? flip(h, pick) : h)) })),
        { from: { ...from, size: size + 1 } },
      ]) {
        expect(verifyConsistency({ from, to, proof, ...changed })).toBe(false);
      }
    }),
  );
});

test('paths are exact in trees beyond 32 bits', () => {
  const size = 2 ** 48 + 1;
  expect(inclusionPath(2 ** 48, size)).toEqual([{ start: 0, end: 2 ** 48 }]);
  expect(inclusionPath(0, size)).toHaveLength(49);
  expect(subtreesOf({ start: 0, end: size })).toEqual([
    { level: 48, index: 0 },
    { level: 0, index: 2 ** 48 },
  ]);
  expect(edgeOf(2 ** 40 + 2 ** 33)).toEqual([
    { level: 40, index: 0 },
    { level: 33, index: 128 },
  ]);
});

test('sizes and indices that make no sense are refused', () => {
  expect(() => inclusionPath(5, 5)).toThrow(RangeError);
  expect(() => inclusionPath(-1, 5)).toThrow(RangeError);
  expect(() => consistencyPath(6, 5)).toThrow(RangeError);
  expect(() => Frontier.of(3, [EMPTY_ROOT])).toThrow('2 subtrees');
});

test('tiles are those of the C2SP example: 70,000 entries', () => {
  const widths = new Map<string, number>();
  for (const { level, width } of tilesOf(70_000)) {
    const kind = `${level} ${width === 256 ? 'full' : width}`;
    widths.set(kind, (widths.get(kind) ?? 0) + 1);
  }
  expect(Object.fromEntries(widths)).toEqual({ '0 full': 273, '0 112': 1, '1 full': 1, '1 17': 1, '2 1': 1 });
});

test('paths are those of the C2SP examples', () => {
  expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
  expect(tilePath({ level: 1, index: 0, width: 17 })).toBe('tile/1/000.p/17');
  expect(bundlePath({ index: 273, width: 112 })).toBe('tile/entries/273.p/112');
});

test('every complete subtree is found in a tile that the tree has', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2000 }), (a, b) => {
      const [from, size] = a < b ? [a, b] : [b, a];
      const tiles = new Map([...tilesOf(size)].map((tile) => [`${tile.level}/${tile.index}`, tile.width]));
      for (const subtree of consistencyPath(from, size).flatMap(subtreesOf)) {
        const place = placeOf(subtree);
        expect(place.first + place.count).toBeLessThanOrEqual(
          tiles.get(`${place.level}/${place.index}`) ?? 0,
        );
        const leaves = 2 ** subtree.level;
        const perHash = 256 ** place.level;
        expect((place.index * 256 + place.first) * perHash).toBe(subtree.index * leaves);
        expect(place.count * perHash).toBe(leaves);
      }
    }),
  );
});

test('a leaf never passes for a node', () => {
  const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right));
});

function flip(hash: Buffer, pick: number): Buffer {
  const copy = Buffer.from(hash);
  const at = pick % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (pick % 8));
  return copy;
}
