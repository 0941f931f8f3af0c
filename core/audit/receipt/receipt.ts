import { z } from 'zod';
import { HASH_BYTES, leafHash, verifyInclusion } from '../merkle';
import {
  decodeBase64,
  NoteInvalidError,
  parseCheckpoint,
  parseNote,
  type VerifierKey,
  verifyNote,
} from '../note';
import { type LogVerifiers, originOf, verifiersOf } from '../seal';
import { ReceiptInvalidError } from './receipt-invalid-error';

const hash = z.string().transform((text, context): Buffer => {
  const bytes = decodeBase64(text);
  if (bytes?.length === HASH_BYTES) return bytes;
  context.addIssue({ code: 'custom', message: 'no base64 of a SHA-256' });
  return z.NEVER;
});
const place = z.strictObject({
  index: z.number().int().nonnegative(),
  /** Signed note of the tree that the proof is for. */
  checkpoint: z.string().max(256 * 1024),
  proof: z.array(hash).max(64),
});

/** Everything that proves one event, but the public key. As JSON, hashes are base64. */
export const receiptSchema = z.strictObject({
  version: z.literal(1),
  /** The event as it was sealed: canonical JSON. */
  entry: z.string().max(65_535),
  /** In the log of its tenant. */
  log: place,
  /** That log's checkpoint, in the platform log. */
  platform: place,
});

export type Receipt = z.infer<typeof receiptSchema>;

export interface ProvedEvent {
  /** What was sealed. */
  readonly event: unknown;
  readonly origin: string;
  readonly index: number;
  /** Of the platform log: everything up to here was there when it was signed. */
  readonly platformSize: number;
  /** Names of those who signed the platform's checkpoint and were known. */
  readonly signedBy: readonly string[];
}

/**
 * Proves, with no database and no network, that the event was sealed. Whoever signed the platform's checkpoint vouches for
 * it: the log's own key, and each cosigner among `cosigners` whose signature is there.
 *
 * @throws ReceiptInvalidError, NoteInvalidError
 */
export function verifyReceipt(
  receipt: unknown,
  key: LogVerifiers,
  cosigners: readonly VerifierKey[] = [],
): ProvedEvent {
  const parsed = receiptSchema.safeParse(receipt);
  if (!parsed.success)
    throw new ReceiptInvalidError(`it has not the form of one: ${z.prettifyError(parsed.error)}`);
  const { entry, log, platform } = parsed.data;
  const own = parseNote(log.checkpoint);
  const checkpoint = parseCheckpoint(own.text);
  const origin = originOf(key);
  if (!checkpoint.origin.startsWith(`${origin}/`)) {
    throw new ReceiptInvalidError(`its log ${checkpoint.origin} is none of ${origin}`);
  }
  verifyNote(own, verifiersOf(key, checkpoint.origin));
  requireIn(log, Buffer.from(entry), checkpoint, 'the event is not in its log');

  const above = parseNote(platform.checkpoint);
  const root = parseCheckpoint(above.text);
  if (root.origin !== origin)
    throw new NoteInvalidError('checkpoint of the platform log', `it is of ${root.origin}`);
  const known = verifiersOf(key, origin);
  const signatures = verifyNote(above, [...known, ...cosigners]);
  if (!signatures.some((signature) => known.some(({ keyId }) => keyId === signature.key.keyId))) {
    throw new ReceiptInvalidError('the platform log itself has not signed its checkpoint');
  }
  requireIn(platform, Buffer.from(own.text), root, 'the log’s checkpoint is not in the platform log');
  return {
    event: JSON.parse(entry),
    origin: checkpoint.origin,
    index: log.index,
    platformSize: root.size,
    signedBy: signatures.map((signature) => signature.key.name),
  };
}

function requireIn(
  { index, proof }: Receipt['log'],
  leaf: Buffer,
  { size, root }: { readonly size: number; readonly root: Buffer },
  otherwise: string,
): void {
  if (!verifyInclusion({ index, size, leafHash: leafHash(leaf), root, proof }))
    throw new ReceiptInvalidError(otherwise);
}
