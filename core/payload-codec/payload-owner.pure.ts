import type { PayloadOwner } from './types';

export const PLATFORM: PayloadOwner = '';

/** Prefixes of workflow IDs whose second part is the tenant. */
export const TENANT_FIRST = ['restore', 'undo', 'job', 'job-deferred', 'job-schedule'] as const;

const OF_TENANT = new RegExp(`^(?:${TENANT_FIRST.join('|')})/([^/]+)/`);

/** Whose key the payloads of a workflow have. */
export function payloadOwner(workflowId: string | undefined): PayloadOwner {
  return OF_TENANT.exec(workflowId ?? '')?.[1] ?? PLATFORM;
}
