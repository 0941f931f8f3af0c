/**
 * How a plain payload reaches a workflow where it may only be the workflow's input: as an object with this one member. The
 * guard at the start of a run (workflows/plain-input.ts) takes it out, and nothing else knows how.
 */
export const PLAIN_INPUT = 'chronawflow/plain-input';

export type PlainInput =
  /** JSON text; empty for no value. */
  { readonly kind: 'taken'; readonly json: string } | { readonly kind: 'refused' };

export function wrapPlain(input: PlainInput): { readonly [PLAIN_INPUT]: PlainInput } {
  return { [PLAIN_INPUT]: input };
}

/** What was wrapped; undefined for every other value. Only the codec can have made it: what clients send is encrypted or wrapped. */
export function plainInput(value: unknown): PlainInput | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, PLAIN_INPUT)) return undefined;
  const input: unknown = Reflect.get(value, PLAIN_INPUT);
  if (typeof input !== 'object' || input === null) return { kind: 'refused' };
  const json: unknown = Reflect.get(input, 'json');
  return Reflect.get(input, 'kind') === 'taken' && typeof json === 'string'
    ? { kind: 'taken', json }
    : { kind: 'refused' };
}
