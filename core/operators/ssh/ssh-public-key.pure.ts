import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { InvalidInputError } from '../../errors';
import { SshReader, sshString } from './ssh-wire.pure';

/** An operator's public key: Ed25519, in OpenSSH's form. */
export interface SshPublicKey {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly text: string;
  /** `SHA256:…` as `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
  /** The 32 bytes of the key. */
  readonly raw: Buffer;
  /** As signatures and the agent name it. */
  readonly blob: Buffer;
}

export const KEY_TYPE = 'ssh-ed25519';

/**
 * Reads `ssh-ed25519 AAAA… comment`. Source: RFC 8709, section 4.
 *
 * @throws InvalidInputError for another kind of key, and for what is no key
 */
export function parsePublicKey(text: string): SshPublicKey {
  const [type = '', base64 = ''] = text.trim().split(/\s+/);
  if (type !== KEY_TYPE) {
    throw new InvalidInputError(`A key of type '${type.slice(0, 40)}' cannot be an operator's.`, {
      hint: 'Use an Ed25519 key: `chronawflow operators keygen`, or `ssh-keygen -t ed25519`.',
    });
  }
  try {
    return publicKeyOfBlob(Buffer.from(base64, 'base64'));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidInputError(`This is no public key: ${error.message}.`, {
      hint: 'Give the line of a .pub file.',
    });
  }
}

/** @throws RangeError when it is no Ed25519 key */
export function publicKeyOfBlob(blob: Buffer): SshPublicKey {
  const reader = new SshReader(blob);
  if (reader.string().toString('latin1') !== KEY_TYPE) throw new RangeError('it is no Ed25519 key');
  const raw = reader.string();
  reader.end();
  if (raw.length !== 32) throw new RangeError('an Ed25519 key has 32 bytes');
  return publicKeyOf(raw);
}

export function publicKeyOf(raw: Buffer): SshPublicKey {
  const blob = Buffer.concat([sshString(KEY_TYPE), sshString(raw)]);
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return {
    text: `${KEY_TYPE} ${blob.toString('base64')}`,
    fingerprint: `SHA256:${digest}`,
    raw: Buffer.from(raw),
    blob,
  };
}

export function keyObjectOf({ raw }: SshPublicKey): KeyObject {
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    format: 'jwk',
  });
}
