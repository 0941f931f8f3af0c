/**
 * Instants with microseconds, as PostgreSQL keeps them. A JS Date has milliseconds, so it is used for whole days only.
 */

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Micros = bigint & { readonly brand: 'Micros' };

const SECOND = 1_000_000n;
const DAY = 86_400n * SECOND;

/** ISO 8601 with T or a space, seconds optional, zone given as Z, +02, +0200 or +02:00 (also with seconds, as PostgreSQL prints old zones). */
const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s?(?:(Z)|([+-])(\d{2})(?::?(\d{2})(?::?(\d{2}))?)?)$/i;

/** `undefined` when the text is no instant: no zone, more than six digits after the point, or a day that does not exist. */
export function parseInstant(text: string): Micros | undefined {
  const match = PATTERN.exec(text.trim());
  if (match === null) return undefined;
  const field = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day] = [field(1), field(2), field(3)];
  const [hour, minute, second] = [field(4), field(5), field(6)];
  const [zoneHour, zoneMinute, zoneSecond] = [field(10), field(11), field(12)];
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 15 || zoneMinute > 59 || zoneSecond > 59) {
    return undefined;
  }
  const dayNumber = dayOf(year, month, day);
  if (dayNumber === undefined) return undefined;
  const local =
    BigInt(dayNumber) * DAY +
    BigInt(hour * 3600 + minute * 60 + second) * SECOND +
    BigInt((match[7] ?? '').padEnd(6, '0'));
  const offset = BigInt(zoneHour * 3600 + zoneMinute * 60 + zoneSecond) * SECOND;
  return micros(match[9] === '-' ? local + offset : local - offset);
}

/** The form in which times travel: `2026-11-23T10:15:00.123456Z`. */
export function formatInstant(instant: Micros): string {
  const dayNumber = floorDivide(instant, DAY);
  const rest = instant - dayNumber * DAY;
  const seconds = Number(rest / SECOND);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = new Date(Number(dayNumber) * 86_400_000).toISOString().slice(0, 10);
  const time = `${two(Math.trunc(seconds / 3600))}:${two(Math.trunc(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${date}T${time}.${String(rest % SECOND).padStart(6, '0')}Z`;
}

export function micros(value: bigint): Micros {
  return value as Micros;
}

/** pgBackRest gives whole seconds. */
export function fromSeconds(seconds: number): Micros {
  return micros(BigInt(Math.trunc(seconds)) * SECOND);
}

/** Milliseconds between two instants, rounded down; for durations that people read. */
export function millisecondsBetween(from: Micros, to: Micros): number {
  return Number((to - from) / 1000n);
}

/** Days since 1970-01-01, or undefined for a day such as 30 February. */
function dayOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? date.getTime() / 86_400_000 : undefined;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
