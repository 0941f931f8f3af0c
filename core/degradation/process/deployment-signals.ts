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
 * How long the oldest job that could run has waited. It looks through all that wait, and an age has no spikes: once an interval is enough.
 *
 * @param held the classes whose jobs wait on purpose: their age says nothing.
 */
export function queueSignals(application: Pool, held: () => readonly PriorityClass[]): SignalSource {
  return async () => {
    const { rows } = await application.query<{ age: number | null }>(
      `select extract(epoch from clock_timestamp() - min(run_at))::float8 * 1000 as age from chronawflow.job
       where state = 'waiting' and run_at <= clock_timestamp() and priority <> all ($1::int[])`,
      [held().flatMap((one) => JOB_PRIORITIES[one])],
    );
    return [{ signal: 'queue-age', value: rows[0]?.age ?? 0 }];
  };
}

/**
 * Whether the application's database takes writes, and how far its standbys are behind: what no single process sees by itself.
 * Standbys only where the role may see them (`pg_monitor`).
 */
export function applicationSignals(application: Pool): SignalSource {
  return async () => {
    const { rows } = await application.query<{ refuses: boolean; lag: number | null }>(
      `select pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as refuses,
         (select extract(epoch from max(replay_lag))::float8 * 1000 from pg_stat_replication) as lag`,
    );
    return rows.flatMap(({ refuses, lag }) => [
      { signal: READ_ONLY_SIGNAL, value: refuses ? 1 : 0 },
      ...(lag === null ? [] : [{ signal: 'replication-lag', value: lag }]),
    ]);
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
