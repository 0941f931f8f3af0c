import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';

/** Loaded with the first quantum-safe key: an ES module that most processes do not need. */
const load: (name: '@noble/post-quantum/ml-dsa.js') => typeof import('@noble/post-quantum/ml-dsa.js') =
  require;

/** What a key can do: its raw keys as the specifications have them, the private one as its seed. */
export interface SignatureScheme {
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
  publicKeyOf(seed: Buffer): Buffer;
  sign(seed: Buffer, message: Uint8Array): Buffer;
  /** False for anything that is no signature, whatever it is. */
  verify(publicKey: Buffer, message: Uint8Array, signature: Buffer): boolean;
}

export const SEED_BYTES = 32;

/** PKCS #8 and SPKI around 32 raw bytes. Source: RFC 8410, section 10. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/** RFC 8032, by the platform's own implementation. */
export const ed25519: SignatureScheme = {
  publicKeyBytes: 32,
  signatureBytes: 64,
  publicKeyOf: (seed) =>
    createPublicKey(ed25519Private(seed))
      .export({ format: 'der', type: 'spki' })
      .subarray(SPKI_ED25519.length),
  sign: (seed, message) => sign(null, message, ed25519Private(seed)),
  verify: (publicKey, message, signature) =>
    signature.length === 64 &&
    verify(
      null,
      message,
      createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki' }),
      signature,
    ),
};

/**
 * FIPS 204, which quantum computers do not break. Deterministic, as the log signs nothing that others choose freely; a
 * signature takes about 7 ms.
 */
export const mlDsa44: SignatureScheme = {
  publicKeyBytes: 1312,
  signatureBytes: 2420,
  publicKeyOf: (seed) => Buffer.from(mlDsa().keygen(seed).publicKey),
  sign: (seed, message) =>
    Buffer.from(mlDsa().sign(message, mlDsa().keygen(seed).secretKey, { extraEntropy: false })),
  verify: (publicKey, message, signature) =>
    signature.length === 2420 && mlDsa().verify(signature, message, publicKey),
};

function mlDsa() {
  return load('@noble/post-quantum/ml-dsa.js').ml_dsa44;
}

function ed25519Private(seed: Buffer) {
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
}
