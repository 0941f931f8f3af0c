import type { Pool } from 'pg';
import type { NoiseSignal, TenantUse, Uses } from './noise.pure';

/**
 * What each tenant uses now: attempts of jobs in flight; failed attempts in the quarantine's window; sessions of the application's
 * database that work at this moment, for services that name the tenant in `application_name` (`… tenant=<key>`). Sampled often,
 * the share of working sessions is the share of database time.
 */
export async function readUses(application: Pool, windowMs: number): Promise<Uses> {
  const look = (sql: string, values: readonly unknown[] = []): Promise<TenantUse[] | undefined> =>
    application.query<TenantUse>(sql, [...values]).then(
      ({ rows }) => rows,
      // One signal less; the others, and the next look, go on.
      () => undefined,
    );
  const [inFlight, errors, databaseTime] = await Promise.all([
    look(
      `select tenant, count(*)::integer as value from chronawflow.job
       where state in ('handed', 'running') and lease_until > clock_timestamp() group by tenant`,
    ),
    look(
      `select tenant, sum(failed)::integer as value from chronawflow.job_outcome
       where since > clock_timestamp() - $1 * interval '1 millisecond' group by tenant`,
      [windowMs],
    ),
    look(
      `select substring(application_name from 'tenant=(\\S+)') as tenant, count(*)::integer as value
       from pg_stat_activity
       where datname = current_database() and state = 'active' and backend_type = 'client backend'
         and application_name ~ 'tenant=\\S'
       group by 1`,
    ),
  ]);
  return { 'in-flight': inFlight, errors, 'database-time': databaseTime } satisfies Record<
    NoiseSignal,
    TenantUse[] | undefined
  >;
}
