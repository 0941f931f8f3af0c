import { inTransaction } from '../../database';
import { endDrain, leaseDrain } from '../health';
import { endLeasedHold, leaseHold } from '../jobs';
import { endIsolation, leaseIsolation } from '../protection';
import { endFloor, leaseFloor } from '../rate-limit';
import { endTenantGate, leaseTenantGate } from '../recovery';
import type { ContainmentContext, StepControl } from './context';
import { resourceOf } from './plan.pure';
import { notePart } from './store/note-part';
import type { ContainmentPart, PartOutcome } from './types';

/** Whose an effect is, for its lease. */
export interface Owner {
  readonly id: string;
  readonly reason: string;
  readonly leaseMs: number;
  readonly stopsCore: readonly string[];
}

/**
 * Applies a part, or renews its lease (README.md, invariant 5).
 *
 * @throws what the part's own folder throws: FREEZE_BLOCKED, UNKNOWN_TENANT …
 */
export async function applyPart(
  ctx: ContainmentContext,
  owner: Owner,
  part: ContainmentPart,
  control: StepControl = {},
): Promise<PartOutcome> {
  const taken = await take(ctx, owner, part, control);
  const outcome: PartOutcome = taken
    ? { state: 'applied' }
    : { state: 'left', note: 'held by somebody else already; that stays as it is' };
  await notePart(ctx.platform, owner.id, resourceOf(part), outcome.state, outcome.note);
  return outcome;
}

/** Takes a part's effect away; there may be none any more. Nobody else's is touched. */
export async function undoPart(
  ctx: ContainmentContext,
  id: string,
  part: ContainmentPart,
  control: StepControl = {},
): Promise<void> {
  const by = holderOf(id);
  switch (part.kind) {
    case 'gate':
      await endTenantGate(ctx, id, control);
      break;
    case 'hold':
      await endLeasedHold(ctx.application, part, by);
      break;
    case 'breaker':
      await inTransaction(ctx.platform, (tx) => endIsolation(tx, part, by));
      break;
    case 'drain':
      await endDrain(ctx.platform, part, by);
      break;
    case 'floor':
      await endFloor(ctx.platform, part.tenant, by);
  }
  await notePart(ctx.platform, id, resourceOf(part), 'undone');
}

/** @returns false when somebody else holds it already */
async function take(
  ctx: ContainmentContext,
  { id, reason, leaseMs, stopsCore }: Owner,
  part: ContainmentPart,
  control: StepControl,
): Promise<boolean> {
  const by = holderOf(id);
  switch (part.kind) {
    case 'gate':
      await leaseTenantGate(
        ctx,
        {
          id,
          tenant: part.tenant,
          leaseMs,
          refusal: {
            message: `tenant ${part.tenant} is contained: its writes are refused (${id})`,
            hint: 'It ends by itself, or by `chronawflow contain release`. Try again later.',
          },
        },
        control,
      );
      return true;
    case 'hold':
      return leaseHold(ctx.application, part, { reason, by, leaseMs, stopsCore });
    case 'breaker':
      return inTransaction(ctx.platform, (tx) => leaseIsolation(tx, part, { why: reason, by, leaseMs }));
    case 'drain':
      return leaseDrain(ctx.platform, part, { by, leaseMs });
    case 'floor':
      return leaseFloor(ctx.platform, part.tenant, {
        floor: { rule: ctx.config.containment.floor },
        by,
        leaseMs,
      });
  }
}

function holderOf(id: string): string {
  return `containment/${id}`;
}
