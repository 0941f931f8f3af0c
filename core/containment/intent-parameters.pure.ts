import type { Consent } from '../operators';
import { tenantOf } from './plan.pure';
import type { ContainmentInput, ContainmentTarget } from './types';

/** What an intent has to say; a consent's shape with another action. */
type Wanted<A> = Omit<Consent, 'action'> & { readonly action: A };

/** The intent for a containment: everything of its input, and the run that it is for. The same for whoever signs and verifies. */
export function toContain(
  workflowId: string,
  { target, forMs, reason }: ContainmentInput,
): Wanted<'containment.contain'> {
  return {
    action: 'containment.contain',
    ...ofTenant(target),
    parameters: { workflowId, target, forMs, reason },
  };
}

/** The intent for a release. */
export function toRelease(
  id: string,
  target: ContainmentTarget,
  reason: string | undefined,
): Wanted<'containment.release'> {
  return { action: 'containment.release', ...ofTenant(target), parameters: { id, reason } };
}

function ofTenant(target: ContainmentTarget): { readonly tenant?: string } {
  const tenant = tenantOf(target);
  return tenant === undefined ? {} : { tenant };
}
