import { quoteIdentifier, quoteQualified } from '../../database';
import { restorableWindow } from './backup';
import type { RecoveryContext } from './engine';
import { type ComplianceReport, validateRPORTOCompliance } from './report';
import { parseTableName, tenantKeyType } from './slice/tenant-row';
import { parseInstant } from './target/instant.pure';

/** Reads what is there (tenants, the restorable window, the last restores) and holds it against the objectives. */
export async function checkCompliance(ctx: RecoveryContext, tenant?: string): Promise<ComplianceReport> {
  const window = await restorableWindow(ctx);
  return validateRPORTOCompliance({
    objectives: ctx.config.objectives,
    tenants: tenant === undefined ? await allTenants(ctx) : [tenant],
    now: window.checkedAt,
    latestRestorable: window.latest,
    idleSinceLatest: window.latestExact && (await nothingCommittedSince(ctx, window.latest)),
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

/** Known only with track_commit_timestamp; without it an idle cluster is judged like a busy one. */
async function nothingCommittedSince(ctx: RecoveryContext, latest: string | undefined): Promise<boolean> {
  const since = latest === undefined ? undefined : parseInstant(latest);
  if (since === undefined) return false;
  const tracked = await ctx.application.query<{ on: boolean }>(
    `select current_setting('track_commit_timestamp')::boolean as on`,
  );
  if (!tracked.rows[0]?.on) return false;
  const { rows } = await ctx.application.query<{ us: string | null }>(
    'select (extract(epoch from timestamp) * 1000000)::bigint::text as us from pg_last_committed_xact()',
  );
  const last = rows[0]?.us;
  return last !== undefined && last !== null && BigInt(last) <= since;
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
