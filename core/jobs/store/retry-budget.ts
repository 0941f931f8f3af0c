import type { PoolClient } from 'pg';

/** Retries that may come at once before the budget spreads them: this part of a minute's. */
const BURST_SHARE = 0.5;

/**
 * Takes one retry from the tenant's budget. Retries over the budget are put off, not dropped: they wait for the moment
 * at which a steady flow of `perMinute` would have had room for them. The generic cell rate algorithm: ITU-T I.371.
 *
 * @returns milliseconds until the retry fits; 0 when it does now
 */
export async function takeRetryBudget(tx: PoolClient, tenant: string, perMinute: number): Promise<number> {
  const interval = 60_000 / perMinute;
  const burst = interval * Math.max(1, Math.floor(perMinute * BURST_SHARE));
  const { rows } = await tx.query<{ wait_ms: number }>(
    `insert into chronawflow.job_retry_budget as b (tenant, tat)
     values ($1, clock_timestamp() + $2 * interval '1 millisecond')
     on conflict (tenant) do update
     set tat = greatest(b.tat, clock_timestamp()) + $2 * interval '1 millisecond'
     returning greatest(0, extract(epoch from tat - clock_timestamp())::float8 * 1000 - $3) as wait_ms`,
    [tenant, interval, burst],
  );
  return rows[0]?.wait_ms ?? 0;
}
