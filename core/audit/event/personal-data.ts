import { createHash, randomBytes } from 'node:crypto';
import { canonicalJson } from '../../canonical-json';
import { InvalidInputError } from '../../errors';
import type { AuditEvent } from './audit-event';

/** Member of an event's details that commits to its personal data. */
export const COMMITMENT = 'personalSha256';

const SALT_BYTES = 32;

/** What is kept beside the event. */
export interface Apart {
  readonly subject: string;
  readonly salt: Buffer;
  readonly data: string;
}

export interface Committed {
  /** The event with its commitment, and without the data. */
  readonly event: AuditEvent;
  readonly apart: Apart | undefined;
}

/**
 * Takes an event's personal data out of it. The salt is as long as the hash, so that nobody finds the data by trying.
 *
 * @throws InvalidInputError for an event whose details have such a member already
 */
export function setApart(given: AuditEvent): Committed {
  if (given.personal === undefined) return { event: given, apart: undefined };
  const { personal, ...event } = given;
  if (event.details !== undefined && Object.hasOwn(event.details, COMMITMENT)) {
    throw new InvalidInputError(
      `The audit event ${event.action} has details.${COMMITMENT}, which is the log's own.`,
    );
  }
  const salt = randomBytes(SALT_BYTES);
  const data = canonicalJson(personal.data);
  const hash = createHash('sha256').update(salt).update(data).digest('hex');
  return {
    event: { ...event, details: { ...event.details, [COMMITMENT]: hash } },
    apart: { subject: personal.subject, salt, data },
  };
}
