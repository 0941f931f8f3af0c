import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { EventNotSealedError } from '../audit';
import { LegalHoldError } from '../erasure';
import { InvalidInputError } from '../errors';
import { decideRetentions, heldBy, type RetentionRequest } from './decide-retention';
import { dropLog } from './drop-log';
import type { Dropped, Held, Retention } from './types';

export interface RetentionReport {
  readonly dropped: readonly Dropped[];
  readonly held: readonly Held[];
}

export interface RetentionPools {
  /** The running role, which decides. */
  readonly platform: Pool;
  /** The role that drops. */
  readonly retainer: Pool;
}

/** The sealer needs less than a second where it runs. */
const SEALED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 100;

/**
 * Drops what was sealed longer ago than `olderThan`, and ends what an earlier call had begun. Tenants with a legal hold are passed
 * over and named.
 *
 * @throws LegalHoldError when one tenant was asked for and is held; EventNotSealedError when no sealer runs; LogDamagedError
 */
export async function retain(
  { platform, retainer }: RetentionPools,
  request: RetentionRequest,
  sealedWithinMs = SEALED_WITHIN_MS,
): Promise<RetentionReport> {
  const { tenant, by } = request;
  await requireLog(platform, tenant);
  const held = new Map<string, Held>();
  const dropped: Dropped[] = [];
  const dropDecided = async () => {
    for (const retention of await undone(platform, tenant)) {
      const holding = await heldBy(platform, retention.tenant);
      if (holding === undefined) {
        await untilSealed(platform, retention.eventId, sealedWithinMs);
        dropped.push(await dropLog(retainer, retention, by));
      } else held.set(holding.tenant, holding);
    }
  };
  // What was begun comes first: its decision is sealed already, where a new one would have to be.
  await dropDecided();
  for (const one of await decideRetentions(platform, request)) held.set(one.tenant, one);
  await dropDecided();
  const [only] = held.values();
  if (tenant !== undefined && only !== undefined) throw new LegalHoldError(only.hold, 'dropped');
  return { dropped, held: [...held.values()] };
}

async function requireLog(platform: Pool, tenant: string | undefined): Promise<void> {
  if (tenant === undefined) return;
  const { rowCount } = await platform.query(
    `select from chronawflow.audit_log where kind = 'tenant' and tenant = $1`,
    [tenant],
  );
  if (rowCount === 0)
    throw new InvalidInputError(`No event of tenant ${tenant} is sealed.`, { hint: 'Check its key.' });
}

/** The furthest decision about each log that has no event of its end. */
async function undone(platform: Pool, tenant: string | undefined): Promise<Retention[]> {
  const { rows } = await platform.query<
    Omit<Retention, 'minimumIndex' | 'personalBefore'> & { minimumIndex: string; personalBefore: string }
  >(
    `select * from (
       select distinct on (r.log) r.log, l.tenant, l.origin, r.minimum_index as "minimumIndex",
              r.personal_before as "personalBefore", r.event_id as "eventId"
         from chronawflow.audit_retention r join chronawflow.audit_log l on l.id = r.log
        where $1::text is null or l.tenant = $1
        order by r.log, r.personal_before desc, r.minimum_index desc) furthest
      where not exists (select from chronawflow.audit_event e where e.id = "eventId" || '/done')`,
    [tenant ?? null],
  );
  return rows.map((row) => ({
    ...row,
    minimumIndex: Number(row.minimumIndex),
    personalBefore: Number(row.personalBefore),
  }));
}

/** Invariant 1. */
async function untilSealed(platform: Pool, eventId: string, withinMs: number): Promise<void> {
  const limit = Date.now() + withinMs;
  for (;;) {
    const { rowCount } = await platform.query('select from chronawflow.place_of_event($1)', [eventId]);
    if (rowCount === 1) return;
    if (Date.now() > limit) throw new EventNotSealedError(eventId, true);
    await sleep(LOOK_EVERY_MS);
  }
}
