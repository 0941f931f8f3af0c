import { bitLength, powerAtMost } from './bits.pure';
import type { Subtree } from './frontier.pure';
import { EMPTY_ROOT, nodeHash } from './hash.pure';

/** Leaves from `start` up to, not including, `end`. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What proves that leaf `index` is in the tree of `size` leaves: the ranges whose roots lie beside its way up, from the
 * bottom. Source: RFC 6962, section 2.1.1.
 */
export function inclusionPath(index: number, size: number): LeafRange[] {
  if (index < 0 || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const path: LeafRange[] = [];
  let { start, end } = { start: 0, end: size };
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  return path.reverse();
}

/**
 * What proves that the tree of `from` leaves is a prefix of the tree of `to`. Nothing proves that of the empty tree or of
 * two equal ones. Source: RFC 6962, section 2.1.2.
 */
export function consistencyPath(from: number, to: number): LeafRange[] {
  if (from < 0 || from > to) throw new RangeError(`a tree of ${from} is no prefix of one of ${to}`);
  if (from === 0 || from === to) return [];
  const path: LeafRange[] = [];
  let { start, end } = { start: 0, end: to };
  while (from !== end) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  // The old tree is a complete subtree on the left edge: who checks the proof has its root already.
  if (start > 0) path.push({ start, end });
  return path.reverse();
}

/** The complete subtrees that a range's root is computed from, left to right. The range has to be one of a path. */
export function subtreesOf({ start, end }: LeafRange): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = start; at < end; ) {
    const width = powerAtMost(end - at);
    subtrees.push({ level: bitLength(width) - 1, index: at / width });
    at += width;
  }
  return subtrees;
}

/** @param hashes of `subtreesOf` the range. */
export function rootOfSubtrees(hashes: readonly Buffer[]): Buffer {
  return hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** How many of a tree's leaves are in its left subtree: the largest power of two below the size. */
function splitOf(size: number): number {
  return powerAtMost(size - 1);
}
