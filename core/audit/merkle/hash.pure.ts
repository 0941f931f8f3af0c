import { hash } from 'node:crypto';

/** SHA-256. */
export const HASH_BYTES = 32;

/**
 * A hash as text, one character a byte. Node 20 makes one in a third of the time that it needs for a buffer, and joins two without
 * a call; so trees are computed in these (docs/decisions/audit-speed.md).
 */
export type Digest = string;

/** The root of a tree without entries. Source: RFC 6962, section 2.1. */
export const EMPTY_ROOT = bytesOf(sha256(Buffer.alloc(0)));

/** Where prefix and content are put together: one call of the hash function costs half of an object with three updates. */
const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);
let leaf = Buffer.alloc(64 * 1024);

/** The prefix 0 keeps an entry from passing for two hashes. Source: RFC 6962, section 2.1. */
export function leafDigest(entry: Uint8Array): Digest {
  if (entry.length >= leaf.length) leaf = Buffer.alloc(2 * entry.length);
  leaf.set(entry, 1);
  return sha256(leaf.subarray(0, entry.length + 1));
}

/**
 * The same of an entry where it lies among others.
 *
 * @param start at least 1: the byte before it is lent for the prefix
 */
export function leafDigestWithin(bytes: Buffer, start: number, end: number): Digest {
  const before = bytes[start - 1] ?? 0;
  bytes[start - 1] = 0;
  const digest = sha256(bytes.subarray(start - 1, end));
  bytes[start - 1] = before;
  return digest;
}

/** Prefix 1. */
export function nodeDigest(left: Digest, right: Digest): Digest {
  node.write(left + right, 1, 'binary');
  return sha256(node);
}

export function leafHash(entry: Uint8Array): Buffer {
  return bytesOf(leafDigest(entry));
}

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return bytesOf(nodeDigest(digestOf(left), digestOf(right)));
}

export function bytesOf(digest: Digest): Buffer {
  return Buffer.from(digest, 'binary');
}

export function digestOf(bytes: Buffer): Digest {
  return bytes.toString('binary');
}

/** Hashes that lie one after the other, as in a tile. */
export function splitHashes(hashes: Buffer): Digest[] {
  const all = digestOf(hashes);
  return Array.from({ length: all.length / HASH_BYTES }, (_, i) =>
    all.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

function sha256(data: Buffer): Digest {
  return hash('sha256', data, 'binary');
}
