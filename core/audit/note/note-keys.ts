import { createHash, randomBytes } from 'node:crypto';
import { ed25519, mlDsa44, SEED_BYTES, type SignatureScheme } from './algorithms';
import { parseCheckpoint } from './checkpoint.pure';
import { NoteInvalidError } from './note-invalid-error';
import { decodeBase64, isKeyName } from './signed-note.pure';

/**
 * The kinds of signature that a note of ours may bear, with the byte that stands for each in key IDs and keys: a log's own
 * Ed25519 signature (C2SP signed-note), and the timestamped ones of C2SP tlog-cosignature.
 */
const KINDS = {
  ed25519: { byte: 0x01, scheme: ed25519, timestamped: false },
  'cosignature-ed25519': { byte: 0x04, scheme: ed25519, timestamped: true },
  'cosignature-ml-dsa-44': { byte: 0x06, scheme: mlDsa44, timestamped: true },
} as const satisfies Record<string, KindOfSignature>;

interface KindOfSignature {
  readonly byte: number;
  readonly scheme: SignatureScheme;
  readonly timestamped: boolean;
}

export type SignatureKind = keyof typeof KINDS;

/** Who may sign, as others know it. */
export interface VerifierKey {
  readonly name: string;
  readonly kind: SignatureKind;
  readonly keyId: number;
  readonly publicKey: Buffer;
}

/** Never leaves the process; `formatSigningKey` is for the key's own file. */
export interface SigningKey extends VerifierKey {
  readonly seed: Buffer;
}

export function kindOf(kind: SignatureKind): KindOfSignature {
  return KINDS[kind];
}

export function generateSigningKey(name: string, kind: SignatureKind): SigningKey {
  return signingKey(name, kind, randomBytes(SEED_BYTES));
}

/** `<name>+<key ID in hex>+<base64 of kind and public key>`. Source: C2SP signed-note, "vkey". */
export function formatVerifierKey({ name, kind, keyId, publicKey }: VerifierKey): string {
  return `${name}+${hexOf(keyId)}+${encode(kind, publicKey)}`;
}

/** `PRIVATE+KEY+<name>+<key ID in hex>+<base64 of kind and seed>`, as golang.org/x/mod/sumdb/note writes it. */
export function formatSigningKey({ name, kind, keyId, seed }: SigningKey): string {
  return `PRIVATE+KEY+${name}+${hexOf(keyId)}+${encode(kind, seed)}`;
}

/** @throws NoteInvalidError */
export function parseVerifierKey(text: string): VerifierKey {
  // The name has no plus, base64 may have some.
  const [name = '', id = '', ...base64] = text.trim().split('+');
  const { kind, bytes } = decodeKey('verifier key', base64.join('+'));
  const key = verifierKey(name, kind, bytes);
  if (hexOf(key.keyId) !== id)
    throw new NoteInvalidError('verifier key', 'its ID is not that of its name and key');
  return key;
}

/** The error never repeats the key. @throws NoteInvalidError */
export function parseSigningKey(text: string): SigningKey {
  const [first, second, name = '', id = '', ...base64] = text.trim().split('+');
  if (first !== 'PRIVATE' || second !== 'KEY') {
    throw new NoteInvalidError('signing key', 'it does not begin with PRIVATE+KEY+');
  }
  const { kind, bytes } = decodeKey('signing key', base64.join('+'));
  if (bytes.length !== SEED_BYTES)
    throw new NoteInvalidError('signing key', `its seed has not ${SEED_BYTES} bytes`);
  const key = signingKey(name, kind, bytes);
  if (hexOf(key.keyId) !== id)
    throw new NoteInvalidError('signing key', 'its ID is not that of its name and key');
  return key;
}

/** The same key under another name, which makes it another key to whoever checks its signatures. */
export function renamed<Key extends VerifierKey>(key: Key, name: string): Key {
  return { ...key, ...verifierKey(name, key.kind, key.publicKey) };
}

/** The bytes that a signature of this kind is made over. @param timestamp seconds since 1970, for cosignatures. */
export function signedMessage(kind: SignatureKind, name: string, text: string, timestamp: bigint): Buffer {
  switch (kind) {
    case 'ed25519':
      return Buffer.from(text);
    case 'cosignature-ed25519':
      return Buffer.from(`cosignature/v1\ntime ${timestamp}\n${text}`);
    case 'cosignature-ml-dsa-44': {
      const { origin, size, root } = parseCheckpoint(text);
      return Buffer.concat([
        Buffer.from('subtree/v1\n\0'),
        withLength(name),
        uint64(timestamp),
        withLength(origin),
        uint64(0n),
        uint64(BigInt(size)),
        root,
      ]);
    }
  }
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function signingKey(name: string, kind: SignatureKind, seed: Buffer): SigningKey {
  return { ...verifierKey(name, kind, KINDS[kind].scheme.publicKeyOf(seed)), seed };
}

function verifierKey(name: string, kind: SignatureKind, publicKey: Buffer): VerifierKey {
  if (!isKeyName(name)) {
    throw new NoteInvalidError('key name', `${JSON.stringify(name)} is empty or has white space or a plus`);
  }
  const { scheme, byte } = KINDS[kind];
  if (publicKey.length !== scheme.publicKeyBytes) {
    throw new NoteInvalidError('verifier key', `a public key of its kind has ${scheme.publicKeyBytes} bytes`);
  }
  const hash = createHash('sha256').update(`${name}\n`).update(Buffer.of(byte)).update(publicKey).digest();
  return { name, kind, keyId: hash.readUInt32BE(0), publicKey };
}

function encode(kind: SignatureKind, bytes: Buffer): string {
  return Buffer.concat([Buffer.of(KINDS[kind].byte), bytes]).toString('base64');
}

function decodeKey(what: string, base64: string): { readonly kind: SignatureKind; readonly bytes: Buffer } {
  const decoded = decodeBase64(base64);
  const kind = KIND_NAMES.find((name) => KINDS[name].byte === decoded?.[0]);
  if (decoded === undefined || kind === undefined) throw new NoteInvalidError(what, 'its kind is not known');
  return { kind, bytes: decoded.subarray(1) };
}

const KIND_NAMES: readonly SignatureKind[] = ['ed25519', 'cosignature-ed25519', 'cosignature-ml-dsa-44'];

/** opaque<1..2^8-1> of RFC 8446, section 3.4. */
function withLength(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new NoteInvalidError('name for a cosignature', 'it is longer than 255 bytes');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function hexOf(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}
