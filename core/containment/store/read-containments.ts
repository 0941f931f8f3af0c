import type { Pool } from 'pg';
import { ContainmentNotFoundError } from '../errors/containment-not-found-error';
import type { ContainmentPart, ContainmentRecord } from '../types';

const RECORD = `
select c.id, c.workflow_id as "workflowId", c.target, c.reason, c.requested_by as "requestedBy", c.automatic,
  c.stops_core as "stopsCore",
  case when c.state = 'active' and c.lease_until <= clock_timestamp() then 'lapsed' else c.state end as state,
  c.started_at as "startedAt", c.lease_until as "leaseUntil", c.ends_at as "endsAt", c.ended_at as "endedAt", c.outcome,
  (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'resource', p.resource, 'state', p.state, 'note', p.note, 'inFlight',
      (select sum(d.in_flight) from chronawflow.endpoint_drain_process d
          join chronawflow.endpoint_drain using (service, endpoint)
        where p.part ->> 'kind' = 'drain' and d.service = p.part ->> 'service' and d.endpoint = p.part ->> 'endpoint'
          and d.seen_at > clock_timestamp() - interval '10 seconds'))) order by p.position), '[]')
    from chronawflow.containment_part p where p.containment = c.id) as parts
from chronawflow.containment c`;

type Row = Omit<ContainmentRecord, 'endedAt' | 'outcome'> & {
  readonly endedAt: string | null;
  readonly outcome: string | null;
};

/** Containments that stand or have just lapsed; with `all` also the last that ended. The newest first. */
export async function readContainments(
  platform: Pool,
  { all = false, limit = 100 }: { readonly all?: boolean; readonly limit?: number } = {},
): Promise<ContainmentRecord[]> {
  const { rows } = await platform.query<Row>(
    `${RECORD} where $1 or c.state <> 'ended' order by c.started_at desc limit $2`,
    [all, limit],
  );
  return rows.map(recordOf);
}

/** @throws ContainmentNotFoundError */
export async function readContainment(platform: Pool, id: string): Promise<ContainmentRecord> {
  const { rows } = await platform.query<Row>(`${RECORD} where c.id = $1`, [id]);
  const [row] = rows;
  if (row === undefined) throw new ContainmentNotFoundError(id);
  return recordOf(row);
}

export interface StoredPart {
  readonly part: ContainmentPart;
  readonly state: string;
}

/** In the order in which they are applied. */
export async function readParts(platform: Pool, id: string): Promise<StoredPart[]> {
  const { rows } = await platform.query<StoredPart>(
    'select part, state from chronawflow.containment_part where containment = $1 order by position',
    [id],
  );
  return rows;
}

function recordOf({ endedAt, outcome, ...row }: Row): ContainmentRecord {
  return { ...row, ...(endedAt === null ? {} : { endedAt }), ...(outcome === null ? {} : { outcome }) };
}
