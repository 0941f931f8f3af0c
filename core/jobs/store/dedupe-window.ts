import type { Pool, PoolClient } from 'pg';
import type { JobRef } from '../types';

export interface DedupeClaim extends JobRef {
  readonly fingerprint: string;
  /** How long the job stands for its input, from now, in milliseconds. */
  readonly withinMs: number;
}

/**
 * Finds the keys under which these submissions go. The first one with an input makes its key stand for the input; others
 * within its time take that key and so are the same job, whether or not the first got as far as adding it.
 *
 * @returns a key per claim, in their order
 */
export async function claimWindows(db: Pool | PoolClient, claims: readonly DedupeClaim[]): Promise<string[]> {
  const first = new Map<string, DedupeClaim>();
  for (const claim of claims) if (!first.has(textOf(claim))) first.set(textOf(claim), claim);
  const asked = [...first.values()];
  // A row that another one renews between the two statements is read anew: its key is then the one that stands.
  await db.query(
    `insert into chronawflow.job_dedupe as d (tenant, type, fingerprint, key, until)
     select tenant, type, fingerprint, key, clock_timestamp() + within * interval '1 millisecond'
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[])
       as a (tenant, type, fingerprint, key, within)
     order by tenant, type, fingerprint
     on conflict (tenant, type, fingerprint) do update set key = excluded.key, until = excluded.until
     where d.until <= clock_timestamp()`,
    [...columns(asked), asked.map((claim) => claim.key), asked.map((claim) => claim.withinMs)],
  );
  const { rows } = await db.query<Omit<DedupeClaim, 'withinMs'>>(
    `select d.tenant, d.type, d.fingerprint, d.key from chronawflow.job_dedupe d
     join unnest($1::text[], $2::text[], $3::text[]) as a (tenant, type, fingerprint)
       using (tenant, type, fingerprint)`,
    columns(asked),
  );
  const keys = new Map(rows.map((row) => [textOf(row), row.key]));
  return claims.map((claim) => keys.get(textOf(claim)) ?? claim.key);
}

/** A submission that was refused does not stand for its input. */
export async function forgetWindows(
  db: Pool | PoolClient,
  claims: readonly Omit<DedupeClaim, 'withinMs'>[],
): Promise<void> {
  if (claims.length === 0) return;
  await db.query(
    `delete from chronawflow.job_dedupe where (tenant, type, fingerprint, key) in (
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]))`,
    [...columns(claims), claims.map((claim) => claim.key)],
  );
}

/** @returns how many are over and were removed; call again until it is 0 */
export async function removeWindows(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from chronawflow.job_dedupe where (tenant, type, fingerprint) in (
       select tenant, type, fingerprint from chronawflow.job_dedupe
       where until <= clock_timestamp() limit 500 for update skip locked)`,
  );
  return rowCount ?? 0;
}

function columns(claims: readonly Omit<DedupeClaim, 'withinMs' | 'key'>[]): [string[], string[], string[]] {
  return [
    claims.map((claim) => claim.tenant),
    claims.map((claim) => claim.type),
    claims.map((claim) => claim.fingerprint),
  ];
}

function textOf({ tenant, type, fingerprint }: Omit<DedupeClaim, 'withinMs' | 'key'>): string {
  return JSON.stringify([tenant, type, fingerprint]);
}
