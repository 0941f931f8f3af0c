import { powerAtMost } from './bits.pure';
import { EMPTY_ROOT, nodeHash } from './hash.pure';

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  /** Of the entry. */
  readonly leafHash: Buffer;
  readonly root: Buffer;
  readonly proof: readonly Buffer[];
}

/** Whether the leaf is in the tree with that root. Never throws on wrong input. Source: RFC 9162, section 2.1.3.2. */
export function verifyInclusion({ index, size, leafHash, root, proof }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  let [leaf, last, hash] = [index, size - 1, leafHash];
  for (const beside of proof) {
    if (last === 0) return false;
    if (isOdd(leaf) || leaf === last) {
      hash = nodeHash(beside, hash);
      while (!isOdd(leaf) && leaf !== 0) [leaf, last] = [half(leaf), half(last)];
    } else {
      hash = nodeHash(hash, beside);
    }
    [leaf, last] = [half(leaf), half(last)];
  }
  return last === 0 && hash.equals(root);
}

export interface ConsistencyClaim {
  readonly from: { readonly size: number; readonly root: Buffer };
  readonly to: { readonly size: number; readonly root: Buffer };
  readonly proof: readonly Buffer[];
}

/** Whether the first tree is a prefix of the second. Never throws on wrong input. Source: RFC 9162, section 2.1.4.2. */
export function verifyConsistency({ from, to, proof }: ConsistencyClaim): boolean {
  if (!isCount(from.size) || !isCount(to.size) || from.size > to.size) return false;
  if (from.size === to.size) return proof.length === 0 && from.root.equals(to.root);
  if (from.size === 0) return proof.length === 0 && from.root.equals(EMPTY_ROOT);
  const path = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [old, last] = [from.size - 1, to.size - 1];
  while (isOdd(old)) [old, last] = [half(old), half(last)];
  let [fromRoot, toRoot] = [first, first];
  for (const beside of rest) {
    if (last === 0) return false;
    if (isOdd(old) || old === last) {
      fromRoot = nodeHash(beside, fromRoot);
      toRoot = nodeHash(beside, toRoot);
      while (!isOdd(old) && old !== 0) [old, last] = [half(old), half(last)];
    } else {
      toRoot = nodeHash(toRoot, beside);
    }
    [old, last] = [half(old), half(last)];
  }
  return last === 0 && fromRoot.equals(from.root) && toRoot.equals(to.root);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

/** Sizes exceed 32 bits, so no shifts. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return value === powerAtMost(value);
}
