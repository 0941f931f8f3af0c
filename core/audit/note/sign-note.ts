import { NoteInvalidError } from './note-invalid-error';
import { kindOf, type SigningKey, signedMessage, uint64, type VerifierKey } from './note-keys';
import type { NoteSignature, SignedNote } from './signed-note.pure';

/** Signs a note's text; where the key is, a file or an HSM, is the signer's affair. */
export interface NoteSigner {
  readonly key: VerifierKey;
  sign(text: string, now: Date): Promise<NoteSignature>;
}

export function keySigner(key: SigningKey): NoteSigner {
  return { key, sign: async (text, now) => signNote(key, text, now) };
}

/** @param now is stated by cosignatures, to the second; others do not have it. */
export function signNote(key: SigningKey, text: string, now: Date): NoteSignature {
  const { scheme, timestamped } = kindOf(key.kind);
  const timestamp = BigInt(Math.floor(now.getTime() / 1000));
  const signature = scheme.sign(key.seed, signedMessage(key.kind, key.name, text, timestamp));
  return {
    name: key.name,
    keyId: key.keyId,
    signature: timestamped ? Buffer.concat([uint64(timestamp), signature]) : signature,
  };
}

export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** What a cosignature says about when it was made. */
  readonly at?: Date;
}

/**
 * The signatures of known keys, all of which have to be good; those of unknown keys are passed over.
 * Source: C2SP signed-note, "Signatures".
 *
 * @throws NoteInvalidError when one is bad, or none is of a known key.
 */
export function verifyNote(note: SignedNote, keys: readonly VerifierKey[]): VerifiedSignature[] {
  const verified = note.signatures.flatMap((signature) => {
    const key = keys.find(({ name, keyId }) => name === signature.name && keyId === signature.keyId);
    return key === undefined ? [] : [verifySignature(note.text, signature, key)];
  });
  if (verified.length === 0)
    throw new NoteInvalidError('note that can be trusted', 'no known key has signed it');
  return verified;
}

function verifySignature(text: string, { signature }: NoteSignature, key: VerifierKey): VerifiedSignature {
  const { scheme, timestamped } = kindOf(key.kind);
  const at = timestamped && signature.length >= 8 ? signature.readBigUInt64BE(0) : 0n;
  const bytes = timestamped ? signature.subarray(8) : signature;
  // 2^63 - 1 is the specification's limit; a Date ends earlier.
  const good =
    at <= BigInt(8.64e12) && scheme.verify(key.publicKey, signedMessage(key.kind, key.name, text, at), bytes);
  if (!good) throw new NoteInvalidError('note that can be trusted', `the signature of ${key.name} is bad`);
  return timestamped ? { key, at: new Date(Number(at) * 1000) } : { key };
}
