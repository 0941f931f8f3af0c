import type { Database } from './database';

/** Keeps that a look has seen these, now. */
export async function noteEvidence(
  database: Database,
  scope: string,
  seen: readonly string[],
): Promise<void> {
  if (seen.length === 0) return;
  await database.query(
    `update chronawflow.degradation_level set evidence = evidence || (
       select jsonb_object_agg(what, extract(epoch from clock_timestamp())::float8 * 1000) from unnest($2::text[]) what)
     where scope = $1`,
    [scope, seen],
  );
}
