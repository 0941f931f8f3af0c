/** What stands in the journal where a secret was. */
export const MASK = '*****';

/** Shorter ones would take half of every text with them, and protect nobody. */
const SHORTEST = 4;

/** A copy without any of the secrets, wherever in a text they occur, keys included. */
export function maskSecrets(value: unknown, secrets: readonly string[]): unknown {
  const hidden = secrets
    .filter((secret) => secret.length >= SHORTEST)
    // The longer first, or a secret that begins like another one would show its rest.
    .sort((a, b) => b.length - a.length);
  if (hidden.length === 0) return value;
  const mask = (one: unknown): unknown => {
    if (typeof one === 'string') return hidden.reduce((text, secret) => text.replaceAll(secret, MASK), one);
    if (Array.isArray(one)) return one.map(mask);
    if (typeof one === 'object' && one !== null)
      return Object.fromEntries(Object.entries(one).map(([key, item]) => [String(mask(key)), mask(item)]));
    return one;
  };
  return mask(value);
}
