import { z } from 'zod';
import { type LogVerifiers, type ProvedEvent, type VerifierKey, verifyReceipt } from '../audit';
import { InvalidInputError } from '../errors';
import { commitment } from './erase-subject';

/** Proves an erasure to the person it is about. */
export const erasureReceiptSchema = z.strictObject({
  erasure: z.strictObject({
    version: z.literal(1),
    /** Of the commitment; hex. With it and the name anybody can tell whom the receipt is about. */
    proofSalt: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  /** Of the erasure's event. */
  receipt: z.unknown(),
});

export type ErasureReceipt = z.infer<typeof erasureReceiptSchema>;

const erasureEvent = z.looseObject({
  action: z.literal('erasure'),
  at: z.string(),
  tenant: z.string(),
  details: z.looseObject({
    subjectSha256: z.string(),
    backupsExpireOn: z.string(),
  }),
});

export interface ProvedErasure extends ProvedEvent {
  readonly tenant: string;
  readonly at: string;
  readonly backupsExpireOn: string;
}

/**
 * @param subject the name by which the erasure was asked for; without it nothing is said about whom it is
 * @throws ReceiptInvalidError, NoteInvalidError, InvalidInputError when it is another person's or no erasure's
 */
export function verifyErasureReceipt(
  given: unknown,
  key: LogVerifiers,
  cosigners: readonly VerifierKey[],
  subject: string | undefined,
): ProvedErasure {
  const { erasure, receipt } = erasureReceiptSchema.parse(given);
  const proved = verifyReceipt(receipt, key, cosigners);
  const event = erasureEvent.safeParse(proved.event);
  if (!event.success) throw new InvalidInputError('The receipt is of an event that is no erasure.');
  const { tenant, at, details } = event.data;
  if (
    subject !== undefined &&
    commitment(Buffer.from(erasure.proofSalt, 'hex'), subject) !== details.subjectSha256
  ) {
    throw new InvalidInputError('The receipt is about somebody else.', {
      hint: 'The name has to be written exactly as in the request to erase.',
    });
  }
  return { ...proved, tenant, at, backupsExpireOn: details.backupsExpireOn };
}
