import { DatabaseError, type Pool } from 'pg';
import { TargetInFutureError } from '../errors/target-in-future-error';
import { TargetNotFoundError } from '../errors/target-not-found-error';
import { formatInstant, micros } from './instant.pure';

const EPOCH = 2n ** 32n;
/** SQLSTATE of "transaction ID … is in the future". */
const INVALID_PARAMETER = '22023';

/** What the live cluster knows about a transaction. */
export interface LiveTransaction {
  /** Low 32 bits, the form of `recovery_target_xid`. */
  readonly xid: string;
  /** Commit time, where `track_commit_timestamp` was on when it committed. */
  readonly at?: string;
}

/** @throws TargetInFutureError, TargetNotFoundError when the transaction is still running or was rolled back. */
export async function findLiveTransaction(application: Pool, xid: string): Promise<LiveTransaction> {
  const { rows } = await application.query<{ next: string }>(
    'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
  );
  const next = BigInt(rows[0]?.next ?? 0);
  const full = fullXid(BigInt(xid), next);
  const low = (full % EPOCH).toString();
  const status = await application
    .query<{ status: string | null; at_us: string | null }>(
      `select pg_xact_status($1::xid8) as status,
              case when current_setting('track_commit_timestamp')::boolean
                   then (extract(epoch from pg_xact_commit_timestamp($2::xid)) * 1000000)::bigint::text end as at_us`,
      [full.toString(), low],
    )
    .catch((error: unknown) => {
      // pg_xact_status knows better than a snapshot, which leaves the newest running transactions out.
      if (!(error instanceof DatabaseError && error.code === INVALID_PARAMETER)) throw error;
      throw new TargetInFutureError(`xid:${xid}`, `transaction ${next}`);
    });
  const row = status.rows[0];
  if (row?.status === 'in progress')
    throw new TargetNotFoundError(`xid:${xid}`, 'the transaction is still running');
  if (row?.status === 'aborted')
    throw new TargetNotFoundError(`xid:${xid}`, 'the transaction was rolled back');
  return { xid: low, ...(row?.at_us ? { at: formatInstant(micros(BigInt(row.at_us))) } : {}) };
}

/**
 * The 64-bit ID that a person means. Of the transactions with the same low 32 bits it is the one nearest to `next`:
 * PostgreSQL compares 32-bit IDs in the same way, and no older one can still be asked about.
 */
export function fullXid(xid: bigint, next: bigint): bigint {
  if (xid >= EPOCH) return xid;
  const nearest = next + BigInt.asIntN(32, xid - next);
  return nearest < 0n ? nearest + EPOCH : nearest;
}
