import type { ErasuresOfTenant } from './types';

/**
 * The erasures that a state of the database from `micros` does not have yet (microseconds since the epoch; undefined when it
 * is not known): those that ended later, and those whose end is not known (invariant 5).
 */
export function erasedAfter(
  found: ErasuresOfTenant | undefined,
  micros: bigint | undefined,
  microsOf: (text: string) => bigint,
): ErasuresOfTenant | undefined {
  const erasures = found?.erasures.filter(
    ({ erasedAt }) => micros === undefined || erasedAt === undefined || microsOf(erasedAt) > micros,
  );
  return found === undefined || erasures === undefined || erasures.length === 0
    ? undefined
    : { ...found, erasures };
}
