import { encodeEntry, type StoredEvent } from '../event';

/**
 * How an event as it is stored now differs from the bytes that were sealed; undefined when it does not. Says what it was.
 */
export function compareEvent(
  sealed: Buffer,
  eventId: string,
  stored: StoredEvent | undefined,
): string | undefined {
  if (stored === undefined) return `event ${eventId} is gone; it was ${short(facts(sealed))}`;
  const { bytes } = encodeEntry(stored);
  if (bytes.equals(sealed)) return undefined;
  const was = facts(sealed);
  const is = facts(bytes);
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (field) => JSON.stringify(was[field]) !== JSON.stringify(is[field]),
  );
  const said = changed.map((field) => `${field} was ${short(was[field])}, is ${short(is[field])}`);
  return `event ${eventId} was changed: ${said.join('; ') || 'its bytes are others'}`;
}

function facts(entry: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(entry.toString());
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function short(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`;
}
