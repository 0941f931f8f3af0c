import type { Pool } from 'pg';
import { READ_ONLY_SIGNAL } from '../read-only.pure';
import type { PriorityClass } from '../types';
import type { SignalSource } from './signal-sources';

/** Priorities of jobs, 1 the most urgent, by class. Source: core/jobs, whose usual priority is 3. */
export const JOB_PRIORITIES: Readonly<Record<PriorityClass, readonly number[]>> = {
  high: [1, 2],
  normal: [3],
  low: [4, 5],
};

/**
 * How long the oldest job that could run has waited, whether the application's database takes writes, and how far its standbys are
 * behind: what no single process sees by itself. Standbys only where the role may see them (`pg_monitor`).
 *
 * @param held the classes whose jobs wait on purpose: their age says nothing.
 */
export function applicationSignals(application: Pool, held: () => readonly PriorityClass[]): SignalSource {
  return async () => {
    const { rows } = await application.query<{ age: number | null; refuses: boolean; lag: number | null }>(
      `select (select extract(epoch from clock_timestamp() - min(run_at))::float8 * 1000 from chronawflow.job
               where state = 'waiting' and run_at <= clock_timestamp() and priority <> all ($1::int[])) as age,
         pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as refuses,
         (select extract(epoch from max(replay_lag))::float8 * 1000 from pg_stat_replication) as lag`,
      [held().flatMap((one) => JOB_PRIORITIES[one])],
    );
    const [found] = rows;
    if (found === undefined) return [];
    return [
      { signal: 'queue-age', value: found.age ?? 0 },
      { signal: READ_ONLY_SIGNAL, value: found.refuses ? 1 : 0 },
      ...(found.lag === null ? [] : [{ signal: 'replication-lag', value: found.lag }]),
    ];
  };
}

/** Services whose breaker is open for all processes, by their common decision. */
export function breakerSignals(platform: Pool): SignalSource {
  return async () => {
    const { rows } = await platform.query<{ open: number }>(
      `select count(distinct service)::integer as open from chronawflow.breaker_state
       where state = 'isolated' or state = 'open' and until > clock_timestamp()`,
    );
    return [{ signal: 'open-breakers', value: rows[0]?.open ?? 0 }];
  };
}
