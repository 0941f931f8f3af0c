import type { PoolClient } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../../database';
import type { ContainmentContext } from '../context';
import { ContainmentNotFoundError } from '../errors/containment-not-found-error';

export type RenewedLease =
  | { readonly kind: 'held'; readonly leaseMs: number; readonly endsInMs: number }
  | { readonly kind: 'over' }
  | { readonly kind: 'superseded'; readonly by: string };

interface Row {
  readonly state: 'active' | 'lapsed' | 'ended';
  readonly endsInMs: number;
}

/**
 * Renews the lease of a containment. One that has lapsed meanwhile (its worker or a database was away) comes back, as long as
 * its time is not over and nobody has taken one of its resources.
 *
 * @throws ContainmentNotFoundError
 */
export async function renewLease(
  { platform, config }: ContainmentContext,
  id: string,
): Promise<RenewedLease> {
  return inTransaction(platform, async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.containment]);
    const { rows } = await tx.query<Row>(
      `select state, (extract(epoch from ends_at - clock_timestamp()) * 1000)::float8 as "endsInMs"
       from chronawflow.containment where id = $1 for update`,
      [id],
    );
    const [row] = rows;
    if (row === undefined) throw new ContainmentNotFoundError(id);
    if (row.state === 'ended' || row.endsInMs <= 0) return { kind: 'over' };
    if (row.state === 'lapsed') {
      const by = await takenBy(tx, id);
      if (by !== undefined) return { kind: 'superseded', by };
      await tx.query('update chronawflow.containment_part set holds = true where containment = $1', [id]);
    }
    // Never beyond its end: what is applied with this lease ends by itself then.
    const leaseMs = Math.min(config.containment.lease, row.endsInMs);
    await tx.query(
      `update chronawflow.containment
       set state = 'active', lease_until = clock_timestamp() + $2 * interval '1 millisecond' where id = $1`,
      [id, leaseMs],
    );
    return { kind: 'held', leaseMs, endsInMs: row.endsInMs };
  });
}

async function takenBy(tx: PoolClient, id: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ containment: string }>(
    `select other.containment from chronawflow.containment_part mine
     join chronawflow.containment_part other on other.resource = mine.resource and other.holds
     where mine.containment = $1 and other.containment <> $1 limit 1`,
    [id],
  );
  return rows[0]?.containment;
}
