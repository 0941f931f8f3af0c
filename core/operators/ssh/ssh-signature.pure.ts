import { createHash, verify } from 'node:crypto';
import { KEY_TYPE, keyObjectOf, publicKeyOfBlob, type SshPublicKey } from './ssh-public-key.pure';
import { SshReader, sshString, uint32 } from './ssh-wire.pure';

/**
 * Signatures as `ssh-keygen -Y sign` makes them, so that whoever has a key in an agent or on a token can sign with it.
 * Source: OpenSSH, PROTOCOL.sshsig. The text form here is the blob's base64, without the armour's lines.
 */

const MAGIC = Buffer.from('SSHSIG');
const VERSION = 1;
/** What a signature is for: one that was made for files or for git is none of ours. */
export const NAMESPACE = 'intent@chronawflow';
/** A signature by an Ed25519 key has about 200 bytes. */
const MAX_TEXT = 1_000;

const HASHES = ['sha512', 'sha256'] as const;
type Hash = (typeof HASHES)[number];

/** The bytes that the key itself signs. */
export function signedBytes(message: string, hash: Hash = 'sha512'): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([MAGIC, sshString(NAMESPACE), sshString(''), sshString(hash), sshString(digest)]);
}

/** @param signature the 64 bytes that the key has made of {@link signedBytes} */
export function formatSignature(key: SshPublicKey, signature: Buffer): string {
  const inner = Buffer.concat([sshString(KEY_TYPE), sshString(signature)]);
  return Buffer.concat([
    MAGIC,
    uint32(VERSION),
    sshString(key.blob),
    sshString(NAMESPACE),
    sshString(''),
    sshString('sha512'),
    sshString(inner),
  ]).toString('base64');
}

/** Takes the armour off what `ssh-keygen` writes. */
export function withoutArmour(text: string): string {
  return text.replaceAll(/-----(BEGIN|END) SSH SIGNATURE-----|\s/g, '');
}

export interface SshSignature {
  readonly key: SshPublicKey;
  readonly hash: Hash;
  readonly signature: Buffer;
}

/** Undefined for everything that is no signature of an Ed25519 key in our namespace. */
export function parseSignature(text: string): SshSignature | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const blob = Buffer.from(text, 'base64');
  // Only the one text that base64 has for these bytes: its last character may carry bits of nothing.
  if (blob.toString('base64') !== text) return undefined;
  const reader = new SshReader(blob);
  try {
    if (!reader.raw(MAGIC.length).equals(MAGIC) || reader.number() !== VERSION) return undefined;
    const key = publicKeyOfBlob(reader.string());
    const namespace = reader.string().toString('latin1');
    // Reserved: PROTOCOL.sshsig has readers ignore it, but it is part of what is signed, and ours is empty.
    const reserved = reader.string();
    const named = reader.string().toString('latin1');
    const hash = HASHES.find((name) => name === named);
    const inner = new SshReader(reader.string());
    reader.end();
    const type = inner.string().toString('latin1');
    const signature = inner.string();
    inner.end();
    const ours = namespace === NAMESPACE && reserved.length === 0 && type === KEY_TYPE;
    return ours && hash !== undefined && signature.length === 64 ? { key, hash, signature } : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whose signature of the message it is; undefined when it is nobody's. */
export function signerOf(message: string, text: string): SshPublicKey | undefined {
  const parsed = parseSignature(text);
  if (parsed === undefined) return undefined;
  const good = verify(null, signedBytes(message, parsed.hash), keyObjectOf(parsed.key), parsed.signature);
  return good ? parsed.key : undefined;
}
