import { ChronawflowError } from '../errors';
import { applyPart } from './apply-part';
import type { ContainmentContext, StepControl } from './context';
import { resourceOf } from './plan.pure';
import { notePart } from './store/note-part';
import { readContainment, readParts } from './store/read-containments';
import { renewLease } from './store/renew-lease';
import type { Renewal } from './types';

/**
 * Renews a containment and each of its parts; a part that has ended meanwhile is applied again.
 *
 * @throws what a database that is away throws: the caller tries again, and the leases go on running
 */
export async function renewContainment(
  ctx: ContainmentContext,
  id: string,
  control: StepControl = {},
): Promise<Renewal> {
  const lease = await renewLease(ctx, id);
  if (lease.kind !== 'held') return lease;
  const { reason, stopsCore } = await readContainment(ctx.platform, id);
  const owner = { id, reason, stopsCore, leaseMs: lease.leaseMs };
  const failed: string[] = [];
  for (const { part } of await readParts(ctx.platform, id)) {
    try {
      await applyPart(ctx, owner, part, control);
    } catch (error) {
      // A refusal of one part keeps the others from nothing; a database that is away is the caller's to try again.
      if (!(error instanceof ChronawflowError) || error.retryable) throw error;
      failed.push(`${resourceOf(part)} (${error.code})`);
      await notePart(ctx.platform, id, resourceOf(part), 'failed', error.code);
    }
  }
  return { kind: 'held', endsInMs: lease.endsInMs, failed };
}
