import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical-json';

/** An event as it is stored, before it is sealed. */
export interface StoredEvent {
  readonly id: string;
  /** ISO 8601 with microseconds, by the control plane's clock. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly tenant: string | null;
  readonly object: string | null;
  readonly outcome: string;
  readonly reason: string | null;
  readonly request: string | null;
  /** Null in every event from before there was such a column. */
  readonly run: string | null;
  /** The text of its JSON, as the database has it. */
  readonly details: string;
}

/**
 * Selects a StoredEvent of the table's alias `e`. One text for whoever seals and for whoever compares with what was sealed:
 * a field that one of them writes otherwise would make every event look changed.
 */
export const STORED_EVENT = `e.id, to_char(e.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, e.actor, e.action,
  e.tenant, e.object, e.outcome, e.reason, e.request, e.run, e.details::text as details`;

/** An entry's length is written in 16 bits. Source: C2SP tlog-tiles, "Log entries". */
export const MAX_ENTRY_BYTES = 65_535;

/**
 * Names the form below. The second has the member `run`, which the first does not know; an event without one has the first, so that what was
 * sealed before is encoded as it was.
 */
const versionOf = ({ run }: StoredEvent) => (run === null ? 1 : 2);

/**
 * The bytes that are sealed: canonical JSON (RFC 8785) of the event. Every stored event has such a form, whatever wrote it,
 * so that none can stop the sealer: details with numbers that JSON readers round stay the text that they are, and those
 * of an event that would be too long are replaced by their SHA-256, or the whole event is.
 */
export function encodeEntry(event: StoredEvent): EncodedEntry {
  const { details } = event;
  const exact = keepsNumbers(details);
  const bytes = exact
    ? encode(event, 'details', canonicalJson(JSON.parse(details)))
    : encode(event, 'detailsText', JSON.stringify(details));
  if (bytes.length <= MAX_ENTRY_BYTES) return { bytes, details: exact ? 'json' : 'text' };
  const shorter = encode(event, 'detailsSha256', JSON.stringify(sha256(details)));
  if (shorter.length <= MAX_ENTRY_BYTES) return { bytes: shorter, details: 'hash' };
  const shortest = canonicalJson({ v: versionOf(event), at: event.at, eventSha256: sha256(bytes) });
  return { bytes: Buffer.from(shortest), details: 'hash' };
}

/** Canonical JSON of one object whose members are known, and given in their order: a third of the time. */
function encode(event: StoredEvent, detailsAs: string, details: string): Buffer {
  const { action, actor, at, id, object, outcome, reason, request, run, tenant } = event;
  const member = (name: string, value: string | null) =>
    value === null ? '' : `,"${name}":${JSON.stringify(value)}`;
  const before = `{"action":${JSON.stringify(action)}${member('actor', actor)}${member('at', at)}`;
  const middle = `,"${detailsAs}":${details}${member('id', id)}${member('object', object)}${member('outcome', outcome)}`;
  const after = `${member('reason', reason)}${member('request', request)}${member('run', run)}${member('tenant', tenant)},"v":${versionOf(event)}}`;
  return Buffer.from(before + middle + after);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

export interface EncodedEntry {
  readonly bytes: Buffer;
  /** How the details are in it. */
  readonly details: 'json' | 'text' | 'hash';
}

/** Whether a reader with 64-bit floating-point numbers finds every number of this JSON as it stands there. */
export function keepsNumbers(json: string): boolean {
  // Mostly they are integers far below 2^53; what only looks like a number, within a text, is looked at more closely.
  const likely = json.match(/(?:^|[:[,])\s*-?\d[^,}\]\s]*/g) ?? [];
  if (likely.every((found) => /^[:[,]?\s*-?(?:0|[1-9]\d{0,14})$/.test(found) && !found.endsWith('-0')))
    return true;
  const outsideStrings = json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const numbers = outsideStrings.match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
  return numbers.every((text) => {
    const number = Number(text);
    // Integers beyond 2^53 share a double with their neighbours.
    return String(number) === text && (!Number.isInteger(number) || Number.isSafeInteger(number));
  });
}
