import type { ClientBase, Pool } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../database';
import { RETENTION_ACTION, recordAuditEvent } from '../audit';
import { type Decision, listHolds } from '../erasure';
import type { Held, Retention } from './types';

export interface RetentionRequest extends Decision {
  /** Milliseconds: what was sealed longer ago goes. */
  readonly olderThan: number;
  /** Only this tenant's log. */
  readonly tenant?: string;
}

type Candidate = Omit<Retention, 'eventId'>;

/**
 * Logs of which something can go. An event is older than the checkpoint that sealed it, so what such a checkpoint covers is at
 * least as old; and checkpoints are found by their index, events would have to be read.
 */
const CANDIDATES = `
with sealed as (
  select l.id, l.tenant, l.origin,
    coalesce((select c.size from chronawflow.audit_checkpoint c
               where c.log = l.id and c.sealed_at < clock_timestamp() - $1 * interval '1 millisecond'
               order by c.size desc limit 1), 0) as before,
    coalesce((select max(d.index) + 1 from chronawflow.audit_dropped d where d.log = l.id), 0) * 256 as dropped
    from chronawflow.audit_log l where l.kind <> 'platform' and ($2::text is null or l.tenant = $2)
)
select id as log, tenant, origin, before / 256 * 256 as "minimumIndex", before as "personalBefore"
  from sealed s
 where before / 256 * 256 > dropped
    or exists (select from chronawflow.audit_bundle b cross join unnest(b.event_ids) with ordinality e (id, n)
                 join chronawflow.audit_personal p on p.event_id = e.id
                where b.log = s.id and b.first < before and b.first + e.n - 1 < before and p.erased_by is null)
 order by id`;

/** Decides about every log of which something can go, each in a transaction of its own. Nothing is dropped yet. */
export async function decideRetentions(platform: Pool, request: RetentionRequest): Promise<readonly Held[]> {
  const { rows } = await platform.query<Record<keyof Candidate, string>>(CANDIDATES, [
    request.olderThan,
    request.tenant ?? null,
  ]);
  const held: Held[] = [];
  for (const { tenant, origin, ...row } of rows) {
    const [log, minimumIndex, personalBefore] = [row.log, row.minimumIndex, row.personalBefore].map(Number);
    if (log === undefined || minimumIndex === undefined || personalBefore === undefined) continue;
    const holding = await decide(platform, { log, tenant, origin, minimumIndex, personalBefore }, request);
    if (holding !== undefined) held.push(holding);
  }
  return held;
}

function decide(
  platform: Pool,
  candidate: Candidate,
  { olderThan, by, reason, authorize }: RetentionRequest,
): Promise<Held | undefined> {
  return inTransaction(platform, async (tx) => {
    await authorize?.(tx);
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.auditRetention]);
    const held = await heldBy(tx, candidate.tenant);
    if (held !== undefined) return held;
    const { log, tenant, origin, minimumIndex, personalBefore } = candidate;
    const eventId = `audit-retain/${log}/${minimumIndex}/${personalBefore}`;
    await recordAuditEvent(tx, {
      id: eventId,
      ...{ actor: by, action: RETENTION_ACTION, object: origin, outcome: 'ok', reason },
      ...(tenant === null ? {} : { tenant }),
      details: { minimumIndex, personalBefore, olderThan },
    });
    await tx.query(
      `insert into chronawflow.audit_retention (log, minimum_index, personal_before, event_id)
       values ($1, $2, $3, $4) on conflict do nothing`,
      [log, minimumIndex, personalBefore, eventId],
    );
    return undefined;
  });
}

/** The oldest hold that stands on a log's tenant. */
export async function heldBy(
  tx: Pick<ClientBase, 'query'>,
  tenant: string | null,
): Promise<Held | undefined> {
  if (tenant === null) return undefined;
  const [hold] = await listHolds(tx, tenant);
  return hold && { tenant, hold };
}
