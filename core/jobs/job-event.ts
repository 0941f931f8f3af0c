import { askedBy, type OutboxEvent } from '../audit';
import type { JobRef } from './types';

/** Who did what the platform does by itself. */
export const PLATFORM_ACTOR = 'chronawflow';

/** An audit event about a job, or about the jobs of a tenant or a type. */
export function jobEvent(
  action: string,
  at: Partial<JobRef>,
  actor: string,
  details: Readonly<Record<string, unknown>> = {},
  outcome = 'ok',
): OutboxEvent {
  return {
    action,
    actor,
    tenant: at.tenant,
    object: [at.type, at.key].filter((part) => part !== undefined).join('/') || undefined,
    outcome,
    ...askedBy(),
    details,
  };
}
