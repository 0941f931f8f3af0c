/** How many calls run, of all tenants and of one, and how many more a tenant may have. */
export interface Occupancy {
  readonly running: number;
  /** Calls beyond their tenants' own places. */
  readonly borrowed: number;
}

export interface PlaceRules {
  readonly concurrency: number;
  readonly perTenant: number;
  readonly reserve: number;
}

/** Whether a tenant with so many running calls gets a place, its own or one of the reserve. */
export function hasPlace({ running, borrowed }: Occupancy, ofTenant: number, rules: PlaceRules): boolean {
  if (running >= rules.concurrency) return false;
  return ofTenant < rules.perTenant || borrowed < rules.reserve;
}
