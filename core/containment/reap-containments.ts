import { recordAuditEvent } from '../audit';
import { undoPart } from './apply-part';
import type { ContainmentContext } from './context';
import { endContainment } from './store/end-containment';
import { lapse } from './store/lapse';
import { readParts } from './store/read-containments';
import type { Strategy } from './types';

interface Row {
  readonly id: string;
  readonly strategy: Strategy;
  readonly tenant: string | null;
  readonly workflow_id: string;
}

export interface Reaped {
  readonly id: string;
  readonly strategy: Strategy;
}

/**
 * Clears up after containments that nobody renews any more: their workflow was terminated. Their effects have ended by
 * themselves; what is left of them (triggers that let everybody pass, rows whose time is over) is taken away, and it is told.
 * One whose workflow still runs is left to it, however late it is. Several processes may do this at once.
 *
 * @param isRunning whether a workflow is under way; when that cannot be told, it throws, and the next round tries again
 * @returns those that were closed
 */
export async function reapContainments(
  ctx: ContainmentContext,
  isRunning: (workflowId: string) => Promise<boolean>,
): Promise<Reaped[]> {
  await lapse(ctx.platform);
  const { rows } = await ctx.platform.query<Row>(
    `select id, strategy, tenant, workflow_id from chronawflow.containment where state = 'lapsed' order by started_at`,
  );
  const reaped: Reaped[] = [];
  for (const { id, strategy, tenant, workflow_id: request } of rows) {
    if (await isRunning(request)) continue;
    const parts = await readParts(ctx.platform, id);
    for (const { part } of parts.reverse()) await undoPart(ctx, id, part);
    await recordAuditEvent(ctx.platform, {
      id: `containment/${id}/lapsed`,
      actor: 'chronawflow',
      action: 'containment.lapsed',
      tenant: tenant ?? undefined,
      object: id,
      outcome: 'ok',
      request,
      details: { parts: parts.length },
    });
    if (await endContainment(ctx.platform, id, 'lapsed', 'chronawflow')) reaped.push({ id, strategy });
  }
  return reaped;
}
