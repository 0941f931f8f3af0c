import type { Pool } from 'pg';

export interface KnownEndpoint {
  readonly service: string;
  readonly endpoint: string;
}

/** How often a process tells of its endpoints, and how long one that nobody tells of any more is believed in, in milliseconds. */
export const TELL_EVERY_MS = 60_000;
const BELIEVED_MS = 86_400_000;

/** Tells the control plane among which endpoints this process chooses. */
export async function tellEndpoints(platform: Pool, known: readonly KnownEndpoint[]): Promise<void> {
  await platform.query(
    `insert into chronawflow.endpoint_known (service, endpoint)
     select distinct * from unnest($1::text[], $2::text[])
     on conflict (service, endpoint) do update set seen_at = clock_timestamp()`,
    [known.map(({ service }) => service), known.map(({ endpoint }) => endpoint)],
  );
}

/** The endpoints that processes have told of within the last day. */
export async function readEndpoints(platform: Pool): Promise<KnownEndpoint[]> {
  const { rows } = await platform.query<KnownEndpoint>(
    `select service, endpoint from chronawflow.endpoint_known
     where seen_at > clock_timestamp() - $1 * interval '1 millisecond' order by service, endpoint`,
    [BELIEVED_MS],
  );
  return rows;
}
