import { InvalidInputError } from '../../errors';
import type { TargetRequest } from '../types';
import { formatInstant, parseInstant } from './instant.pure';

const FORMS =
  "write a time with zone ('2026-11-23T10:15:00.5Z', '2026-11-23 11:15:00+01:00'), an age ('20m ago', '1h30m ago'), 'point:<name>', 'lsn:0/3000148' or 'xid:12345'";

/** Microseconds of each unit of an age. */
const UNITS: Readonly<Record<string, bigint>> = {
  w: 604_800_000_000n,
  d: 86_400_000_000n,
  h: 3_600_000_000n,
  m: 60_000_000n,
  s: 1_000_000n,
  ms: 1000n,
  us: 1n,
};

const LSN = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i;
const AGE_PART = /(\d{1,15})\s*([a-z]+)/gi;
const MAX_XID = 2n ** 64n - 1n;

/**
 * Reads a restore target as a person types it. Times come out in UTC with microseconds.
 *
 * @example parseTarget('2026-11-23 11:15:00+01:00') // { kind: 'time', at: '2026-11-23T10:15:00.000000Z' }
 * @example parseTarget('1h30m ago')                 // { kind: 'ago', microseconds: '5400000000' }
 * @throws InvalidInputError naming the accepted forms.
 */
export function parseTarget(text: string): TargetRequest {
  const trimmed = text.trim();
  const prefixed = /^(point|lsn|xid):(.*)$/is.exec(trimmed);
  if (prefixed !== null) return parsePrefixed((prefixed[1] ?? '').toLowerCase(), (prefixed[2] ?? '').trim());
  const age = /^(.+?)\s+ago$/is.exec(trimmed);
  if (age?.[1] !== undefined) return { kind: 'ago', microseconds: parseAge(age[1]) };
  return parseTime(trimmed);
}

function parsePrefixed(kind: string, value: string): TargetRequest {
  switch (kind) {
    case 'lsn':
      return { kind: 'lsn', lsn: parseLsn(value) };
    case 'xid':
      return { kind: 'xid', xid: parseXid(value) };
    default:
      if (value === '' || value.includes('\0')) throw refused(`'point:${value}' names no recovery point`);
      return { kind: 'point', name: value };
  }
}

function parseLsn(value: string): string {
  const match = LSN.exec(value);
  if (match?.[1] === undefined || match[2] === undefined) throw refused(`'${value}' is no LSN`);
  const part = (hex: string): string => Number.parseInt(hex, 16).toString(16).toUpperCase();
  return `${part(match[1])}/${part(match[2])}`;
}

/** 0 to 2 are PostgreSQL's invalid, bootstrap and frozen transaction IDs. */
function parseXid(value: string): string {
  if (!/^\d{1,20}$/.test(value)) throw refused(`'${value}' is no transaction ID`);
  const xid = BigInt(value);
  if (xid < 3n || xid > MAX_XID) throw refused(`${value} is no transaction ID of a user's transaction`);
  return xid.toString();
}

function parseAge(text: string): string {
  let total = 0n;
  const seen = new Set<string>();
  const rest = text.replaceAll(AGE_PART, (_part, amount: string, name: string) => {
    const unit = unitOf(name);
    if (unit === undefined) throw refused(`'${name}' is no unit of time; use w, d, h, m, s or ms`);
    if (seen.has(unit)) throw refused(`'${text} ago' has '${unit}' twice`);
    seen.add(unit);
    total += BigInt(amount) * (UNITS[unit] ?? 0n);
    return '';
  });
  if (seen.size === 0 || rest.trim() !== '') throw refused(`'${text} ago' is no age`);
  return total.toString();
}

function unitOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (Object.hasOwn(UNITS, lower)) return lower;
  const long = /^(week|day|hour|min|minute|sec|second)s?$/.exec(lower);
  return long === null ? undefined : lower.charAt(0);
}

function parseTime(text: string): TargetRequest {
  const instant = parseInstant(text);
  if (instant !== undefined) return { kind: 'time', at: formatInstant(instant) };
  if (parseInstant(`${text}Z`) !== undefined) {
    throw new InvalidInputError(
      `the target '${text}' has no time zone, so it names a different instant in every place`,
      {
        hint: `add the zone: '${text}Z' for UTC, '${text}+01:00' for an offset`,
      },
    );
  }
  if (/\.\d{7,}/.test(text)) {
    throw refused(`'${text}' has more than six digits after the point; PostgreSQL keeps microseconds`);
  }
  throw refused(`'${text}' is no restore target`);
}

function refused(message: string): InvalidInputError {
  return new InvalidInputError(message, { hint: FORMS });
}
