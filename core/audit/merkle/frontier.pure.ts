import { bytesOf, type Digest, digestOf, EMPTY_ROOT, nodeDigest } from './hash.pure';

/** A complete subtree of 2^level leaves, the `index`-th of its level from the left. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** Told about a subtree that is complete. */
export type OnComplete = (level: number, index: number, digest: Digest) => void;

/**
 * The right edge of a tree: the hashes of the largest complete subtrees that its leaves are made of, from left to right.
 * All that is needed to append to the tree and to know its root: at most one hash for each bit of the size.
 */
export class Frontier {
  private constructor(
    readonly size: number,
    private readonly edge: readonly Digest[],
  ) {}

  static readonly empty = new Frontier(0, []);

  /** @throws RangeError unless there is a hash for each set bit of the size. */
  static of(size: number, edge: readonly Buffer[]): Frontier {
    const expected = edgeOf(size).length;
    if (edge.length !== expected) {
      throw new RangeError(
        `a tree of ${size} leaves has ${expected} subtrees at its edge, not ${edge.length}`,
      );
    }
    return new Frontier(size, edge.map(digestOf));
  }

  /** From left to right, as `edgeOf` names them. */
  get hashes(): readonly Buffer[] {
    return this.edge.map(bytesOf);
  }

  get root(): Buffer {
    return this.edge.length === 0
      ? EMPTY_ROOT
      : bytesOf(this.edge.reduceRight((right, left) => nodeDigest(left, right)));
  }

  /**
   * @param leaves their hashes
   * @param completed is told every subtree that the new leaves complete, but for the leaves themselves; a parent comes after its
   *   children.
   */
  append(leaves: Iterable<Digest>, completed?: OnComplete): Frontier {
    const edge = [...this.edge];
    let size = this.size;
    for (const leaf of leaves) {
      carry(edge, 0, size, leaf, completed);
      size += 1;
    }
    return new Frontier(size, edge);
  }

  /**
   * A whole subtree of 2^level leaves, whose own are not looked at.
   *
   * @throws RangeError when no such subtree begins here
   */
  appendSubtree(level: number, digest: Digest, completed?: OnComplete): Frontier {
    const leaves = 2 ** level;
    if (this.size % leaves !== 0)
      throw new RangeError(`no subtree of ${leaves} leaves begins at ${this.size}`);
    const edge = [...this.edge];
    completed?.(level, this.size / leaves, digest);
    carry(edge, level, this.size / leaves, digest, completed);
    return new Frontier(this.size + leaves, edge);
  }
}

/** Puts a subtree at the right edge, with all that it completes. */
function carry(
  edge: Digest[],
  ofLevel: number,
  ofIndex: number,
  of: Digest,
  completed: OnComplete | undefined,
): void {
  let [level, index, digest] = [ofLevel, ofIndex, of];
  // Whoever has an odd index is the right child of a parent that is complete now.
  while (index % 2 === 1) {
    digest = nodeDigest(edge.pop() ?? '', digest);
    level += 1;
    index = (index - 1) / 2;
    completed?.(level, index, digest);
  }
  edge.push(digest);
}

/** The subtrees whose hashes make up the frontier of a tree of this size, from left to right. */
export function edgeOf(size: number): Subtree[] {
  const edge: Subtree[] = [];
  let level = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) {
    // What is left of the size's bits counts the complete subtrees of this level; an odd last one has no sibling.
    if (rest % 2 === 1) edge.unshift({ level, index: rest - 1 });
    level += 1;
  }
  return edge;
}
