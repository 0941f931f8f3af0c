import type { PoolClient } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../../database';
import type { ContainmentContext } from '../context';
import { ContainmentConflictError } from '../errors/containment-conflict-error';
import { ContainmentLimitError } from '../errors/containment-limit-error';
import { resourceOf, tenantOf } from '../plan.pure';
import type { ContainmentInput, ContainmentPart, OpenContainment } from '../types';
import { lapse } from './lapse';

/** Whether what is about to be written down may be; called in that transaction. */
export type Authorize = (tx: PoolClient) => Promise<void>;

export interface NewContainment {
  readonly id: string;
  readonly workflowId: string;
  readonly input: ContainmentInput;
  readonly parts: readonly ContainmentPart[];
  readonly stopsCore: readonly string[];
}

/**
 * Writes a containment down before anything of it is done (README.md, invariant 1). Called again it answers with what was
 * written first.
 *
 * @throws ContainmentConflictError, ContainmentLimitError
 */
export async function openContainment(
  { platform, config }: ContainmentContext,
  given: NewContainment,
  authorize: Authorize = async () => undefined,
): Promise<OpenContainment> {
  const { lease, for: usual } = config.containment;
  return inTransaction(platform, async (tx) => {
    // One at a time: limits and conflicts are decided by what all others have written.
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.containment]);
    await lapse(tx);
    const known = await readOpen(tx, given.id, lease);
    if (known !== undefined) return known;
    if (given.input.automatic === true) await refuseBeyondLimits(tx, config.containment.noisyTenants);
    await refuseConflicts(tx, given.parts);
    await authorize(tx);
    await tx.query(
      `insert into chronawflow.containment
         (id, workflow_id, strategy, target, tenant, reason, requested_by, automatic, stops_core, lease_until, ends_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + $10 * interval '1 millisecond',
         clock_timestamp() + $11 * interval '1 millisecond')`,
      [
        given.id,
        given.workflowId,
        given.input.target.strategy,
        JSON.stringify(given.input.target),
        tenantOf(given.input.target) ?? null,
        given.input.reason,
        given.input.requestedBy,
        given.input.automatic === true,
        given.stopsCore,
        lease,
        given.input.forMs ?? usual,
      ],
    );
    await tx.query(
      `insert into chronawflow.containment_part (containment, resource, position, part)
       select $1, r.resource, r.position, r.part
       from jsonb_to_recordset($2::jsonb) r (resource text, position smallint, part jsonb)`,
      [
        given.id,
        JSON.stringify(given.parts.map((part, position) => ({ resource: resourceOf(part), position, part }))),
      ],
    );
    const opened = await readOpen(tx, given.id, lease);
    if (opened === undefined) throw new Error(`containment ${given.id} was written and is not there`);
    return opened;
  });
}

async function readOpen(tx: PoolClient, id: string, leaseMs: number): Promise<OpenContainment | undefined> {
  const { rows } = await tx.query<Omit<OpenContainment, 'leaseMs'>>(
    `select c.id, c.stops_core as "stopsCore",
       (extract(epoch from c.ends_at - clock_timestamp()) * 1000)::float8 as "endsInMs",
       (select coalesce(jsonb_agg(p.part order by p.position), '[]') from chronawflow.containment_part p
         where p.containment = c.id) as parts
     from chronawflow.containment c where c.id = $1`,
    [id],
  );
  return rows[0] && { ...rows[0], leaseMs };
}

async function refuseConflicts(tx: PoolClient, parts: readonly ContainmentPart[]): Promise<void> {
  const { rows } = await tx.query<{ resource: string; containment: string }>(
    `select resource, containment from chronawflow.containment_part
     where holds and resource = any ($1) order by resource limit 1`,
    [parts.map(resourceOf)],
  );
  const [first] = rows;
  if (first !== undefined) throw new ContainmentConflictError(first.resource, first.containment);
}

async function refuseBeyondLimits(
  tx: PoolClient,
  rule: ContainmentContext['config']['containment']['noisyTenants'],
): Promise<void> {
  const { most, mostPerHour } = rule === false ? { most: 0, mostPerHour: 0 } : rule;
  const { rows } = await tx.query<{ active: number; lastHour: number }>(
    `select (count(*) filter (where state <> 'ended'))::integer as active,
       (count(*) filter (where started_at > clock_timestamp() - interval '1 hour'))::integer as "lastHour"
     from chronawflow.containment
     where automatic and (state <> 'ended' or started_at > clock_timestamp() - interval '1 hour')`,
  );
  const { active, lastHour } = rows[0] ?? { active: 0, lastHour: 0 };
  if (active >= most || lastHour >= mostPerHour)
    throw new ContainmentLimitError({ active, most, lastHour, mostPerHour });
}
