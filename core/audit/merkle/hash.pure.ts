import { hash } from 'node:crypto';

/** SHA-256. */
export const HASH_BYTES = 32;

/** The root of a tree without entries. Source: RFC 6962, section 2.1. */
export const EMPTY_ROOT = sha256(Buffer.alloc(0));

/** Where prefix and content are put together: one call of the hash function costs half of an object with three updates. */
const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);
let leaf = Buffer.alloc(64 * 1024);

/** The prefix 0 keeps an entry from passing for two hashes. Source: RFC 6962, section 2.1. */
export function leafHash(entry: Uint8Array): Buffer {
  if (entry.length >= leaf.length) leaf = Buffer.alloc(2 * entry.length);
  leaf.set(entry, 1);
  return sha256(leaf.subarray(0, entry.length + 1));
}

/** Prefix 1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

function sha256(data: Buffer): Buffer {
  return hash('sha256', data, 'buffer');
}
