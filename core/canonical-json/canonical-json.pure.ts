import { InvalidInputError } from '../errors';

/**
 * JSON with one form for equal values: members sorted by UTF-16 code units, no white space, numbers as ECMAScript
 * prints them. Source: RFC 8785, JSON Canonicalization Scheme. What JSON would drop without a word is refused: a
 * payload that reads back differently has no fingerprint.
 *
 * @throws InvalidInputError naming the place
 */
export function canonicalJson(value: unknown): string {
  return write(value, { names: [], values: [] });
}

/** Where the writer is: what it stands in, from the outermost on, and the names of the members and indices that led there. */
interface Place {
  readonly names: (string | number)[];
  readonly values: object[];
}

function write(value: unknown, place: Place): string {
  if (typeof value === 'string') return text(value, place);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(place, String(value));
    // As JSON has it: -0 is 0.
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw refused(place, typeof value);
  if (place.values.includes(value)) throw refused(place, 'a cycle');
  place.values.push(value);
  const written = Array.isArray(value) ? list(value, place) : members(value, place);
  place.values.pop();
  return written;
}

function list(value: readonly unknown[], place: Place): string {
  const items = Array.from(value, (item, index) => {
    place.names.push(index);
    const written = write(item, place);
    place.names.pop();
    return written;
  });
  return `[${items.join(',')}]`;
}

function members(value: object, place: Place): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refused(place, value.constructor?.name ?? 'an object of a class');
  }
  let written = '';
  for (const [name, member] of Object.entries(value).sort(byName)) {
    // An absent member and one that is undefined are the same in JSON.
    if (member === undefined) continue;
    const named = text(name, place);
    place.names.push(name);
    written += `${written === '' ? '' : ','}${named}:${write(member, place)}`;
    place.names.pop();
  }
  return `{${written}}`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** Section 3.2.2.2: what is no Unicode text has no canonical form. */
function text(value: string, place: Place): string {
  if (!value.isWellFormed()) throw refused(place, 'a lone surrogate');
  return JSON.stringify(value);
}

function refused({ names }: Place, what: string): InvalidInputError {
  const at = names.reduce<string>(
    (path, name) => path + (typeof name === 'number' ? `[${name}]` : `.${name}`),
    '$',
  );
  return new InvalidInputError(`The payload has ${what} at ${at}, which JSON cannot keep.`, {
    hint: 'Use plain objects, arrays, strings, finite numbers, booleans and null; dates as ISO 8601 text.',
    details: { at },
  });
}
