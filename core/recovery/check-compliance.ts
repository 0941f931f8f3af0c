import { quoteIdentifier, quoteQualified } from '../../database';
import { type RestorableWindow, restorableWindow } from './backup';
import type { RecoveryContext } from './engine';
import { type ComplianceInput, type ComplianceReport, validateRPORTOCompliance } from './report';
import { parseTableName, tenantKeyType } from './slice/tenant-row';
import { formatInstant, micros } from './target/instant.pure';

/** Reads what is there (tenants, the restorable window, the last restores) and holds it against the objectives. */
export async function checkCompliance(ctx: RecoveryContext, tenant?: string): Promise<ComplianceReport> {
  const window = await restorableWindow(ctx);
  return validateRPORTOCompliance({
    objectives: ctx.config.objectives,
    tenants: tenant === undefined ? await allTenants(ctx) : [tenant],
    now: window.checkedAt,
    latestRestorable: window.latest,
    ...(await atRiskSince(ctx, window)),
    restores: await lastRestores(ctx),
  });
}

async function allTenants(ctx: RecoveryContext): Promise<string[]> {
  const { tenancy } = ctx.config;
  await tenantKeyType(ctx.application, tenancy);
  const { rows } = await ctx.application.query<{ tenant: string }>(
    `select ${quoteIdentifier(tenancy.key)}::text as tenant from ${quoteQualified(parseTableName(tenancy.table))} order by 1`,
  );
  return rows.map((row) => row.tenant);
}

/** With more transactions than this since the latest restorable one, the first of them is about as old as that. */
const LOOK_BACK = 10_000;

/**
 * The commits of the last transactions that are later than $1; `more` when all of them are, so that older ones may be.
 * xid 0 to 2 belong to no transaction, and the counter begins anew at 2^32.
 */
const UNARCHIVED = `
select (extract(epoch from min(at) filter (where at > $1)) * 1000000)::bigint::text as us,
       count(*) = ${LOOK_BACK} and bool_and(at is null or at > $1) as more
from (
  select pg_xact_commit_timestamp(((x + 4294967296) % 4294967296)::text::xid) as at
  from pg_last_committed_xact() last, generate_series(last.xid::text::bigint - ${LOOK_BACK - 1}, last.xid::text::bigint) x
  where (x + 4294967296) % 4294967296 > 2) recent`;

/**
 * A quiet cluster's latest restorable commit may be hours old while nothing, or the work of a second, is not yet in the
 * repository. Known only with track_commit_timestamp; without it the age of the latest one stands for both.
 */
async function atRiskSince(
  ctx: RecoveryContext,
  { latest, latestExact }: RestorableWindow,
): Promise<Pick<ComplianceInput, 'idleSinceLatest' | 'firstAtRisk'>> {
  if (latest === undefined || !latestExact) return {};
  const tracked = await ctx.application.query<{ on: boolean }>(
    `select current_setting('track_commit_timestamp')::boolean as on`,
  );
  if (!tracked.rows[0]?.on) return {};
  const { rows } = await ctx.application.query<{ us: string | null; more: boolean | null }>(UNARCHIVED, [
    latest,
  ]);
  const [recent] = rows;
  if (recent === undefined || recent.more) return {};
  return recent.us === null
    ? { idleSinceLatest: true }
    : { firstAtRisk: formatInstant(micros(BigInt(recent.us))) };
}

/** Each tenant's newest merged restore or drill; its time without the wait for people is the sum of its other steps. */
async function lastRestores(
  ctx: RecoveryContext,
): Promise<{ tenant: string; finishedAt: string; rtoMs: number }[]> {
  const { rows } = await ctx.platform.query<{ tenant: string; finishedAt: string; rtoMs: number }>(
    `select distinct on (tenant) tenant,
            to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "finishedAt",
            (select coalesce(sum((step ->> 'ms')::float8), 0)
               from jsonb_array_elements(report -> 'steps') step
              where step ->> 'phase' <> 'awaiting-approval')
            + case when kind = 'drill' then coalesce((report -> 'preview' ->> 'estimatedMergeMs')::float8, 0) else 0 end as "rtoMs"
       from chronawflow.restore
      where (kind, outcome) in (('restore', 'merged'), ('drill', 'drilled')) and report is not null
      order by tenant, finished_at desc`,
  );
  return rows;
}
