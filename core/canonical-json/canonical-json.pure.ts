import { InvalidInputError } from '../errors';

/**
 * JSON with one form for equal values: members sorted by UTF-16 code units, no white space, numbers as ECMAScript
 * prints them. Source: RFC 8785, JSON Canonicalization Scheme. What JSON would drop without a word is refused: a
 * payload that reads back differently has no fingerprint.
 *
 * @throws InvalidInputError naming the place
 */
export function canonicalJson(value: unknown): string {
  inspectJson(value);
  return write(value);
}

/** What JSON readers may make of a value that JSON can keep. */
export interface JsonFacts {
  /** No integer is beyond 2^53, where readers with 64-bit floating-point numbers cannot tell neighbours apart. */
  readonly safeIntegers: boolean;
}

/**
 * Looks whether JSON can keep a value as it is.
 *
 * @throws InvalidInputError naming the place
 */
export function inspectJson(value: unknown): JsonFacts {
  const place: Place = { names: [], values: [], safeIntegers: true };
  inspect(value, place);
  return place;
}

/** Where the inspector is: what it stands in, from the outermost on, and the names of the members and indices that led there. */
interface Place {
  readonly names: (string | number)[];
  readonly values: object[];
  safeIntegers: boolean;
}

function inspect(value: unknown, place: Place): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    inspectText(value, place);
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(place, String(value));
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) place.safeIntegers = false;
    return;
  }
  if (typeof value !== 'object') throw refused(place, typeof value);
  if (place.values.includes(value)) throw refused(place, 'a cycle');
  place.values.push(value);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) inspectAt(index, item, place);
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
      throw refused(place, value.constructor?.name ?? 'an object of a class');
    for (const [name, member] of Object.entries(value)) {
      // An absent member and one that is undefined are the same in JSON.
      if (member === undefined) continue;
      inspectText(name, place);
      inspectAt(name, member, place);
    }
  }
  place.values.pop();
}

function inspectAt(name: string | number, value: unknown, place: Place): void {
  place.names.push(name);
  inspect(value, place);
  place.names.pop();
}

/** Section 3.2.2.2: what is no Unicode text has no canonical form. */
function inspectText(value: string, place: Place): void {
  if (!value.isWellFormed()) throw refused(place, 'a lone surrogate');
}

/** Of a value that was inspected. */
function write(value: unknown): string {
  // As JSON has it: -0 is 0.
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  let written = '';
  for (const [name, member] of Object.entries(value).sort(byName)) {
    if (member === undefined) continue;
    written += `${written === '' ? '' : ','}${JSON.stringify(name)}:${write(member)}`;
  }
  return `{${written}}`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
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
