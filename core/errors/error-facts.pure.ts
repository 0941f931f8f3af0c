import type { ErrorKind } from './chronawflow-error';

/** What crosses a process border with an error besides its code and message: the first element of a failure's details. */
export interface ErrorFacts {
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Temporal cuts a failure at 4 KiB; message, hint and details have to fit with room for the envelope. In bytes of JSON. */
const MESSAGE_LIMIT = 1_000;
const HINT_LIMIT = 600;
const DETAILS_LIMIT = 1_200;

/** Shortened text with a mark that something is missing. */
export function boundedText(text: string, limit = MESSAGE_LIMIT): string {
  let kept = text;
  for (let size = sizeOf(kept); size > limit; size = sizeOf(`${kept}…`)) {
    // Whole characters: half a surrogate pair would not be text any more.
    const characters = [...kept];
    kept = characters
      .slice(0, Math.min(characters.length - 1, Math.floor((characters.length * limit) / size)))
      .join('');
  }
  return kept === text ? text : `${kept}…`;
}

/** Details that fit: whole entries in their order as long as there is room, then the names of those left out. */
export function boundedFacts(facts: ErrorFacts): ErrorFacts {
  const kept: Record<string, unknown> = {};
  const omitted: string[] = [];
  let room = DETAILS_LIMIT;
  for (const [name, value] of Object.entries(facts.details)) {
    const size = encodedSize(name, value);
    if (size <= room) {
      kept[name] = value;
      room -= size;
    } else if (omitted.length < 5) {
      omitted.push(boundedText(name, 40));
    }
  }
  return {
    kind: facts.kind,
    retryable: facts.retryable,
    ...(facts.hint === undefined ? {} : { hint: boundedText(facts.hint, HINT_LIMIT) }),
    details: omitted.length === 0 ? kept : { ...kept, omitted },
  };
}

function encodedSize(name: string, value: unknown): number {
  try {
    return sizeOf(name) + sizeOf(value) + 2;
  } catch (error) {
    // JSON cannot express a cycle or a bigint; no room is enough for them.
    if (error instanceof TypeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

function sizeOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? '').length;
}

/** Reads the facts back from whatever arrived; undefined when they are not ours. */
export function readFacts(value: unknown): ErrorFacts | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const kind: unknown = Reflect.get(value, 'kind');
  const retryable: unknown = Reflect.get(value, 'retryable');
  const hint: unknown = Reflect.get(value, 'hint');
  const details: unknown = Reflect.get(value, 'details');
  if (kind !== 'usage' && kind !== 'failed' && kind !== 'refused') return undefined;
  return {
    kind,
    retryable: retryable === true,
    ...(typeof hint === 'string' ? { hint } : {}),
    details: typeof details === 'object' && details !== null ? { ...details } : {},
  };
}
