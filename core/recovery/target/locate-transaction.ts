import type { Pool } from 'pg';
import { TargetInFutureError } from '../errors/target-in-future-error';
import { TargetNotFoundError } from '../errors/target-not-found-error';
import { formatInstant, micros } from './instant.pure';

const EPOCH = 2n ** 32n;

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
  if (full === undefined) throw new TargetInFutureError(`xid:${xid}`, `transaction ${next}`);
  const low = (full % EPOCH).toString();
  const status = await application.query<{ status: string | null; at_us: string | null }>(
    `select pg_xact_status($1::xid8) as status,
            case when current_setting('track_commit_timestamp')::boolean
                 then (extract(epoch from pg_xact_commit_timestamp($2::xid)) * 1000000)::bigint::text end as at_us`,
    [full.toString(), low],
  );
  const row = status.rows[0];
  if (row?.status === 'in progress')
    throw new TargetNotFoundError(`xid:${xid}`, 'the transaction is still running');
  if (row?.status === 'aborted')
    throw new TargetNotFoundError(`xid:${xid}`, 'the transaction was rolled back');
  return { xid: low, ...(row?.at_us ? { at: formatInstant(micros(BigInt(row.at_us))) } : {}) };
}

/**
 * The 64-bit ID that a person means: 32 bits name the most recent transaction with these low bits.
 *
 * @returns undefined when it has not been given out yet.
 */
export function fullXid(xid: bigint, next: bigint): bigint | undefined {
  if (xid >= EPOCH) return xid < next ? xid : undefined;
  const inThisEpoch = (next / EPOCH) * EPOCH + xid;
  if (inThisEpoch < next) return inThisEpoch;
  return inThisEpoch >= EPOCH ? inThisEpoch - EPOCH : undefined;
}
