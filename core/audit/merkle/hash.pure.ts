import { createHash } from 'node:crypto';

/** SHA-256. */
export const HASH_BYTES = 32;

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** The root of a tree without entries. Source: RFC 6962, section 2.1. */
export const EMPTY_ROOT = createHash('sha256').digest();

/** The prefix keeps an entry from passing for two hashes. Source: RFC 6962, section 2.1. */
export function leafHash(entry: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(entry).digest();
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}
