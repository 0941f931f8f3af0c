import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { PayloadDamagedError } from './errors/payload-damaged-error';
import { framePayload, unframePayload } from './frame.pure';
import type { DataKey, Payload, PayloadOwner } from './types';

/** The name that Temporal's samples gave encrypted payloads; the Web UI and the CLI send such ones to the codec server. */
const ENCODING = 'binary/encrypted';
/** Names of the metadata beside the ciphertext; readable without a key, and authenticated. */
const KEY_ID = 'chronawflow-key';
const OWNER = 'chronawflow-tenant';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PLAIN = 0;
const DEFLATED = 1;

/** Below this a payload hardly shrinks, and the compressor's call would cost more than all the rest (`npm run bench -- payloads`). */
const COMPRESS_FROM_BYTES = 1_024;

/** What an encrypted payload may grow to: far above Temporal's own limit of 2 MB, far below what harms a worker. */
const MAX_INFLATED_BYTES = 32 * 1024 * 1024;

const UTF8 = { encoding: Buffer.from(ENCODING) } as const;

/** Random bytes for many nonces at once: a call to the generator costs as much as the encryption of a small payload. */
const pool = Buffer.alloc(NONCE_BYTES * 256);
let used = pool.length;

export function isSealed({ metadata }: Payload): boolean {
  const encoding = metadata?.encoding;
  return encoding !== undefined && UTF8.encoding.equals(encoding);
}

/** Data: nonce (12 bytes), ciphertext of one byte that says whether it is compressed and the frame, tag (16). */
export function sealPayload(payload: Payload, key: DataKey, namespace: string): Payload {
  const frame = framePayload(payload);
  const compressed = frame.length < COMPRESS_FROM_BYTES ? undefined : deflateRawSync(frame, { level: 1 });
  const smaller = compressed !== undefined && compressed.length < frame.length;
  const nonce = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce);
  cipher.setAAD(associatedData(namespace, key.id, key.owner));
  const data = Buffer.concat([
    nonce,
    cipher.update(Buffer.of(smaller ? DEFLATED : PLAIN)),
    cipher.update(smaller ? compressed : frame),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return {
    metadata: { encoding: UTF8.encoding, [KEY_ID]: Buffer.from(key.id), [OWNER]: Buffer.from(key.owner) },
    data,
  };
}

/** What names the key of a sealed payload. @throws PayloadDamagedError */
export function sealedWith({ metadata }: Payload): {
  readonly keyId: string;
  readonly owner: PayloadOwner;
} {
  const keyId = metadata?.[KEY_ID];
  const owner = metadata?.[OWNER];
  if (keyId === undefined || owner === undefined) throw new PayloadDamagedError('it does not name its key');
  return { keyId: Buffer.from(keyId).toString(), owner: Buffer.from(owner).toString() };
}

/** @throws PayloadDamagedError when it is not exactly what was sealed in this namespace with this key */
export function openPayload({ data }: Payload, key: DataKey, namespace: string): Payload {
  const sealed = Buffer.from(data ?? []);
  if (sealed.length <= NONCE_BYTES + TAG_BYTES) throw new PayloadDamagedError('it is too short');
  const decipher = createDecipheriv('aes-256-gcm', key.key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedData(namespace, key.id, key.owner));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw new PayloadDamagedError('it was changed, or belongs to another namespace, tenant or key', cause);
  }
  const frame = opened.subarray(1);
  return unframePayload(opened[0] === DEFLATED ? inflate(frame) : frame);
}

function inflate(compressed: Buffer): Buffer {
  try {
    return inflateRawSync(compressed, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    throw new PayloadDamagedError('it cannot be decompressed', cause);
  }
}

/** JSON quotes: two different triples never give the same bytes. */
function associatedData(namespace: string, keyId: string, owner: PayloadOwner): Buffer {
  return Buffer.from(JSON.stringify(['chronawflow payload v1', namespace, keyId, owner]));
}

function nextNonce(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const nonce = Buffer.from(pool.subarray(used, used + NONCE_BYTES));
  used += NONCE_BYTES;
  return nonce;
}
