import type { Pool } from 'pg';

/** One endpoint of a service that gets nothing new. */
export interface DrainedEndpoint {
  readonly service: string;
  readonly endpoint: string;
  /** Takes over, beside the service's others. */
  readonly redirect?: string;
}

/**
 * Drains an endpoint everywhere for as long as the lease is renewed.
 *
 * @returns false when somebody else drains it
 */
export async function leaseDrain(
  platform: Pool,
  { service, endpoint, redirect }: DrainedEndpoint,
  { by, leaseMs }: { readonly by: string; readonly leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await platform.query(
    `insert into chronawflow.endpoint_drain as d (service, endpoint, redirect, until, held_by)
     values ($1, $2, $3, clock_timestamp() + $5 * interval '1 millisecond', $4)
     on conflict (service, endpoint) do update
       set redirect = excluded.redirect, until = excluded.until, held_by = excluded.held_by
       where d.held_by = excluded.held_by or d.until <= clock_timestamp()`,
    [service, endpoint, redirect ?? null, by, leaseMs],
  );
  return rowCount === 1;
}

/** Lets it have new work again; only the holder can. */
export async function endDrain(
  platform: Pool,
  { service, endpoint }: DrainedEndpoint,
  by: string,
): Promise<void> {
  await platform.query(
    `with ended as (
       delete from chronawflow.endpoint_drain where service = $1 and endpoint = $2 and held_by = $3 returning 1)
     delete from chronawflow.endpoint_drain_process where service = $1 and endpoint = $2 and exists (select from ended)`,
    [service, endpoint, by],
  );
}

export interface DrainProgress {
  /** Processes that follow and were seen within ten seconds. */
  readonly processes: number;
  readonly inFlight: number;
}

/** What is still under way at a drained endpoint. A process may tell what it has just after the drain's end; that is none of it. */
export async function drainProgress(
  platform: Pool,
  { service, endpoint }: DrainedEndpoint,
): Promise<DrainProgress> {
  const { rows } = await platform.query<DrainProgress>(
    `select count(*)::integer as processes, coalesce(sum(in_flight), 0)::integer as "inFlight"
     from chronawflow.endpoint_drain_process
     join chronawflow.endpoint_drain using (service, endpoint)
     where service = $1 and endpoint = $2 and seen_at > clock_timestamp() - interval '10 seconds'`,
    [service, endpoint],
  );
  return rows[0] ?? { processes: 0, inFlight: 0 };
}
