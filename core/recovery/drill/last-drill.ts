import type { Pool } from 'pg';

export interface LastDrill {
  readonly tenant: string | undefined;
  readonly outcome: string;
  /** ISO 8601. */
  readonly finishedAt: string;
}

/** The drill that ended last; undefined when there was none. */
export async function lastDrill(platform: Pool): Promise<LastDrill | undefined> {
  const { rows } = await platform.query<{ tenant: string | null; outcome: string; finishedAt: string }>(
    `select tenant, coalesce(outcome, 'failed') as outcome,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "finishedAt"
     from chronawflow.restore where kind = 'drill' and finished_at is not null
     order by finished_at desc limit 1`,
  );
  const [row] = rows;
  return row && { ...row, tenant: row.tenant ?? undefined };
}
