import { createHash } from 'node:crypto';
import { workflowIdPart } from '../workflow-id';
import type { ContainmentTarget } from './types';

/** `containment/<what>/<request>` */
export function containmentWorkflowId(target: ContainmentTarget, request: string): string {
  return `containment/${whatOf(target)}/${workflowIdPart(request)}`;
}

/** The same for every attempt and every run of one workflow ID; short enough for the names of a gate. */
export function containmentId(workflowId: string): string {
  return `c${createHash('sha256').update(workflowId).digest('hex').slice(0, 12)}`;
}

function whatOf(target: ContainmentTarget): string {
  const parts = (...texts: readonly string[]) =>
    texts
      .filter((text) => text !== '')
      .map(workflowIdPart)
      .join('/');
  switch (target.strategy) {
    case 'isolate-tenant':
    case 'read-only':
      return parts('tenant', target.tenant);
    case 'open-breaker':
      return parts('breaker', target.service, target.operation, target.tenant);
    case 'drain-endpoint':
      return parts('endpoint', target.service, target.endpoint);
    case 'hold-queue':
      return parts('queue', target.type ?? 'all', target.tenant ?? '');
  }
}
