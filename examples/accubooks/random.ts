/** Numbers in [0, 1), as Math.random gives them; a seeded source makes a whole data set repeatable. */
export type Random = () => number;

/**
 * A small generator with 32 bits of state: good enough for sample data, the same on every machine.
 * Algorithm: Marsaglia's xorshift32 (Xorshift RNGs, Journal of Statistical Software 8, 2003).
 */
export function seededRandom(seed: number): Random {
  // Zero is the one state that xorshift cannot leave; the multiplication spreads small seeds over all bits.
  let state = Math.imul(seed, 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** An integer between both bounds, each included. */
export function integerBetween(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

export function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[integerBetween(random, 0, from.length - 1)] ?? from[0];
}

export function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => integerBetween(random, 0, 255)));
}

/** A version 4 UUID (RFC 9562, 5.4) whose random bits come from `random`. */
export function randomUuid(random: Random): string {
  const bytes = randomBytes(random, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
