/** How many binary digits a count up to 2^53 has: exact, where logarithms round and shifts end at 32 bits. */
export function bitLength(count: number): number {
  const high = Math.floor(count / 2 ** 32);
  return high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(count);
}

/** The largest power of two that is not above `count`, which is at least 1. */
export function powerAtMost(count: number): number {
  return 2 ** (bitLength(count) - 1);
}
