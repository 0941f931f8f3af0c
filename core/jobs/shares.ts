import type { JobsConfig } from '../../config';
import type { Job } from './define-job';
import type { Shares } from './pick-fairly.pure';
import type { LimitRow } from './store/queue-state';

/**
 * Caps and weights: what a person set in the database goes before the type's definition, and that before the
 * configuration. A cap of zero stops.
 */
export function sharesOf(
  config: Pick<JobsConfig, 'tenantInFlight' | 'ageing'>,
  jobs: ReadonlyMap<string, Job>,
  limits: readonly LimitRow[],
): Shares {
  const set = new Map(limits.map((limit) => [at(limit.tenant, limit.type), limit]));
  const capAt = (tenant: string, type: string) => set.get(at(tenant, type))?.in_flight ?? undefined;
  return {
    ageingMs: config.ageing,
    tenantCap: (tenant) => capAt(tenant, '') ?? capAt('', '') ?? config.tenantInFlight,
    typeCap: (type) =>
      capAt('', type) ?? jobs.get(type)?.policy.concurrency.total ?? Number.POSITIVE_INFINITY,
    tenantTypeCap: (tenant, type) =>
      capAt(tenant, type) ?? jobs.get(type)?.policy.concurrency.perTenant ?? Number.POSITIVE_INFINITY,
    weight: (tenant) => set.get(at(tenant, ''))?.weight ?? 1,
  };
}

function at(tenant: string, type: string): string {
  return JSON.stringify([tenant, type]);
}
