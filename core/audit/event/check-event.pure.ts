import { inspectJson } from '../../canonical-json';
import { InvalidInputError } from '../../errors';
import type { AuditEvent } from './audit-event';
import { encodeEntry, MAX_ENTRY_BYTES } from './entry.pure';

/** Leaves a kilobyte for the names of the fields and the time. */
const SURELY_FITS = MAX_ENTRY_BYTES - 1_024;

/** As long as every time that the database writes. */
const ANY_TIME = '2026-01-01T00:00:00.000000Z';

/**
 * The JSON text of an event's details, once it is sure that the event can be sealed as it is.
 *
 * @throws InvalidInputError for an entry above 65,535 bytes, a lone surrogate or NUL, a number that JSON readers round
 */
export function checkEvent(event: AuditEvent): string {
  const { id, actor, action, outcome, tenant = null, object = null, reason = null } = event;
  const { request = null, run = null } = event;
  const { safeIntegers } = inspectJson(event.details ?? {});
  const details = JSON.stringify(event.details ?? {});
  let characters = 0;
  for (const fact of [id, actor, action, outcome, tenant, object, reason, request, run]) {
    if (fact === null) continue;
    // PostgreSQL has no such character in any text.
    if (fact.includes('\0')) throw refused(event, 'it has a NUL character');
    characters += fact.length;
  }
  if (details.includes('\\u0000') && /(?<!\\)(?:\\\\)*\\u0000/.test(details))
    throw refused(event, 'it has a NUL character');
  if (!safeIntegers) throw refused(event, 'its details have a number that is not safe in JSON');
  // Mostly it is clear without encoding it: no character is longer than six bytes in JSON.
  if (6 * characters + 3 * details.length < SURELY_FITS) return details;
  const facts = { id, actor, action, tenant, object, outcome, reason, request, run };
  if (encodeEntry({ ...facts, at: ANY_TIME, details }).details === 'hash')
    throw refused(event, `it is longer than ${MAX_ENTRY_BYTES} bytes`);
  return details;
}

function refused(event: AuditEvent, reason: string): InvalidInputError {
  return new InvalidInputError(`The audit event ${event.action} cannot be recorded: ${reason}.`, {
    hint: 'Record identifiers, counts and hashes, large numbers as text, and keep what they stand for where it is.',
    details: { action: event.action },
  });
}
