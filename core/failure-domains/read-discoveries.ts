import type { Pool } from 'pg';
import type { Config } from '../../config';
import { quoteQualified } from '../../database';
import { readEndpoints } from '../health';
import { loadJobs } from '../jobs';
import type { Discoveries } from './discover.pure';

/**
 * What a deployment's configuration and databases tell of its parts. A database that is away leaves out what it knows: just
 * then the graph is asked.
 *
 * @throws InvalidInputError when a module of jobs cannot be loaded
 */
export async function readDiscoveries(
  config: Config,
  platform: Pool,
  application: Pool,
): Promise<Discoveries> {
  const [jobs, seen, endpoints, tenants] = await Promise.all([
    loadJobs(config.jobs.modules),
    breakerServices(platform).catch(() => []),
    readEndpoints(platform).catch(() => []),
    countTenants(application, config.tenancy.table).catch(() => undefined),
  ]);
  return {
    jobTypes: jobs.map(({ type }) => type),
    breakerServices: [...new Set([...Object.keys(config.protection.services), ...seen])],
    endpoints,
    resources: Object.keys(config.rateLimits?.resources ?? {}),
    tenants,
    backups: true,
  };
}

/** Services whose breakers processes have told each other of. */
async function breakerServices(platform: Pool): Promise<string[]> {
  const { rows } = await platform.query<{ service: string }>(
    `select service from chronawflow.breaker_state union select service from chronawflow.breaker_vote order by 1`,
  );
  return rows.map(({ service }) => service);
}

async function countTenants(application: Pool, table: string): Promise<number> {
  const [schema = '', ...name] = table.split('.');
  const { rows } = await application.query<{ count: string }>(
    `select count(*) from ${quoteQualified({ schema, name: name.join('.') })}`,
  );
  return Number(rows[0]?.count ?? 0);
}
