import type { Pool } from 'pg';

/** How far the sealer has come. */
export interface SealState {
  /** ISO 8601; undefined when nothing was ever sealed. */
  readonly sealedAt: string | undefined;
  /** Events that wait, counted up to `UNSEALED_LIMIT`. */
  readonly unsealed: number;
}

/** Beyond it the number no longer matters: the sealer does not run. */
export const UNSEALED_LIMIT = 10_000;

export async function sealState(platform: Pool): Promise<SealState> {
  const { rows } = await platform.query<{ sealedAt: string | null; unsealed: number }>(
    `select (select to_char(max(sealed_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
             from chronawflow.audit_checkpoint) as "sealedAt",
       (select count(*)::integer from (
          select from chronawflow.audit_event e, chronawflow.audit_seal s
          where (e.xid, e.at, e.id) > (s.xid, s.at, s.id) limit ${UNSEALED_LIMIT}) waiting) as unsealed`,
  );
  const [row = { sealedAt: null, unsealed: 0 }] = rows;
  return { sealedAt: row.sealedAt ?? undefined, unsealed: row.unsealed };
}
