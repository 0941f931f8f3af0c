import type { ClientBase } from 'pg';
import type { TenancyConfig } from '../../../config';
import { loadSlice } from './load-slice';
import { planSlice } from './plan-slice.pure';
import type { SlicePlan } from './plan-types';
import { schemaHash } from './schema-hash';

/** The tenant's slice as it is now, without any target: which tables, and what bounds them by the tenant. */
export async function planLive(tx: ClientBase, tenancy: TenancyConfig, tenant: string): Promise<SlicePlan> {
  const { catalog, attribution, rules, schemas } = await loadSlice(tx, tenancy, tenant);
  return planSlice({
    tenant,
    live: catalog,
    attribution,
    target: catalog,
    rules,
    forward: {},
    schemaHash: schemaHash(catalog, attribution),
    schemas,
  });
}
