import { CoreTypeHeldError } from '../jobs';
import { containmentId } from './containment-id';
import { parseContainmentInput } from './containment-input';
import type { ContainmentContext } from './context';
import { type Call, planParts, tenantOf } from './plan.pure';
import { type Authorize, openContainment } from './store/open-containment';
import type { ContainmentInput, ContainmentTarget, OpenContainment } from './types';

/**
 * Checks a request, decides its parts and writes them down.
 *
 * @param authorize whether it may be; Default: everybody may
 * @throws InvalidInputError, CoreTypeHeldError, ContainmentConflictError, ContainmentLimitError
 */
export async function prepareContainment(
  ctx: ContainmentContext,
  value: unknown,
  workflowId: string,
  authorize?: (input: ContainmentInput) => Promise<Authorize>,
): Promise<OpenContainment> {
  const input = parseContainmentInput(value, ctx.config.containment.longest);
  const { target } = input;
  const stopsCore = await coreTypesStopped(ctx, target);
  if (tenantOf(target) === undefined && stopsCore.length > 0) throw new CoreTypeHeldError(stopsCore);
  const calls = target.strategy === 'isolate-tenant' ? await callsOf(ctx, target.tenant) : [];
  const containment = {
    id: containmentId(workflowId),
    workflowId,
    input,
    parts: planParts(target, calls),
    stopsCore,
  };
  return openContainment(ctx, containment, await authorize?.(input));
}

/** Core types whose jobs the target holds: named in the record and the audit log (README.md, invariant 7). */
function coreTypesStopped(ctx: ContainmentContext, target: ContainmentTarget): Promise<readonly string[]> {
  switch (target.strategy) {
    case 'isolate-tenant':
    case 'read-only':
      return ctx.coreTypes();
    case 'hold-queue':
      return ctx.coreTypes(target.type);
    case 'drain-endpoint':
    case 'open-breaker':
      return Promise.resolve([]);
  }
}

/** What the tenant calls: as configured, and as far as its breakers have been heard of. */
async function callsOf({ config, platform }: ContainmentContext, tenant: string): Promise<Call[]> {
  const { rows } = await platform.query<Call>(
    `select service, operation from chronawflow.breaker_state where tenant = $1
     union select service, operation from chronawflow.breaker_vote where tenant = $1 order by 1, 2`,
    [tenant],
  );
  const all = [...config.containment.tenantBreakers, ...rows];
  const seen = new Map(all.map((call) => [JSON.stringify([call.service, call.operation]), call]));
  return [...seen.values()];
}
