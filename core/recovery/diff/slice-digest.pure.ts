import { createHash } from 'node:crypto';

/** Count and sums of the two hash lanes over a set of rows; addition makes it independent of any order. */
export interface Lanes {
  readonly rows: bigint;
  readonly a: bigint;
  readonly b: bigint;
}

export const NO_ROWS: Lanes = { rows: 0n, a: 0n, b: 0n };

const MODULUS = 1n << 64n;

export function addLanes(x: Lanes, y: Lanes): Lanes {
  return { rows: x.rows + y.rows, a: wrap(x.a + y.a), b: wrap(x.b + y.b) };
}

export function subtractLanes(x: Lanes, y: Lanes): Lanes {
  return { rows: x.rows - y.rows, a: wrap(x.a - y.a), b: wrap(x.b - y.b) };
}

/** Lanes as PostgreSQL returns them: bigint and numeric as text. */
export function parseLanes(row: {
  readonly rows: string;
  readonly a: string | null;
  readonly b: string | null;
}): Lanes {
  return { rows: BigInt(row.rows), a: wrap(BigInt(row.a ?? 0)), b: wrap(BigInt(row.b ?? 0)) };
}

/** SHA-256, hex, over the tables' names and lanes in order of name. */
export function sliceDigest(tables: ReadonlyMap<string, Lanes>): string {
  const hash = createHash('sha256');
  for (const name of [...tables.keys()].sort()) {
    const lanes = tables.get(name) ?? NO_ROWS;
    hash.update(`${JSON.stringify(name)} ${lanes.rows} ${lanes.a} ${lanes.b}\n`);
  }
  return hash.digest('hex');
}

function wrap(value: bigint): bigint {
  return ((value % MODULUS) + MODULUS) % MODULUS;
}
