/** When each tenant's last drill passed, ISO 8601 in UTC; a tenant that is absent was never drilled. */
export type LastDrills = ReadonlyMap<string, string>;

/** The tenant that waits longest for a drill: one that never had one, else the one whose last is the oldest. */
export function leastRecentlyDrilled(candidates: readonly string[], last: LastDrills): string | undefined {
  const never = candidates.find((tenant) => !last.has(tenant));
  if (never !== undefined) return never;
  return candidates.reduce<string | undefined>(
    (oldest, tenant) =>
      oldest === undefined || (last.get(tenant) ?? '') < (last.get(oldest) ?? '') ? tenant : oldest,
    undefined,
  );
}
