/** The revision of the IETF draft that the middleware follows. */
export const IDEMPOTENCY_DRAFT = 'draft-ietf-httpapi-idempotency-key-header-07';

const LONGEST = 255;

/** A String of RFC 8941, 3.3.3, with whatever parameters: those are ignored, as the RFC asks for unknown ones. */
const ITEM = /^ *"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)" *(?:;.*)?$/;
/** What many clients send instead: a UUID or the like, without quotes. */
const BARE = /^[A-Za-z0-9._~:+/=-]+$/;

/**
 * The key that a field `Idempotency-Key` carries.
 *
 * @param acceptBare whether a key without quotes is taken; the draft has only quoted ones
 * @returns undefined when it carries none that can be used
 */
export function parseKeyHeader(field: string, acceptBare: boolean): string | undefined {
  const quoted = ITEM.exec(field)?.[1]?.replaceAll(/\\(["\\])/g, '$1');
  const bare = acceptBare && BARE.test(field.trim()) ? field.trim() : undefined;
  const key = quoted ?? bare;
  return key === undefined || key.trim() === '' || key.length > LONGEST ? undefined : key;
}

/** The field for a key of printable ASCII. */
export function formatKeyHeader(key: string): string {
  return `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
}
