import { InvalidInputError } from '../errors';

/**
 * JSON with one form for equal values: members sorted by UTF-16 code units, no white space, numbers as ECMAScript
 * prints them. Source: RFC 8785, JSON Canonicalization Scheme. What JSON would drop without a word is refused: a
 * payload that reads back differently has no fingerprint.
 *
 * @throws InvalidInputError naming the place
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', []);
}

function write(value: unknown, at: string, above: readonly object[]): string {
  if (typeof value === 'string') return text(value, at);
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(at, String(value));
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw refused(at, typeof value);
  if (above.includes(value)) throw refused(at, 'a cycle');
  const within = [...above, value];
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, index) => write(item, `${at}[${index}]`, within)).join(',')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refused(at, value.constructor?.name ?? 'an object of a class');
  }
  const members = Object.entries(value)
    // An absent member and one that is undefined are the same in JSON.
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${text(name, at)}:${write(member, `${at}.${name}`, within)}`);
  return `{${members.join(',')}}`;
}

/** Section 3.2.2.2: what is no Unicode text has no canonical form. */
function text(value: string, at: string): string {
  if (!value.isWellFormed()) throw refused(at, 'a lone surrogate');
  return JSON.stringify(value);
}

function refused(at: string, what: string): InvalidInputError {
  return new InvalidInputError(`The payload has ${what} at ${at}, which JSON cannot keep.`, {
    hint: 'Use plain objects, arrays, strings, finite numbers, booleans and null; dates as ISO 8601 text.',
    details: { at },
  });
}
