import { inTransaction } from '../../../database';
import type { RecoveryContext, StepControl } from '../engine';
import { UnknownTenantError } from '../errors/unknown-tenant-error';
import { planLive } from '../slice/plan-live';
import { findTenant } from '../slice/tenant-row';
import { freezeTenant } from './freeze-tenant';
import { extendGate, gateState } from './gate-row';
import { gateTables } from './gate-tables';
import { removeGate } from './remove-gate';
import type { GateRefusal } from './types';

export interface TenantGate {
  /** Lower-case letters and digits; no restore has the same. */
  readonly id: string;
  readonly tenant: string;
  readonly refusal: GateRefusal;
  /** The gate opens by itself after so long, unless this is called again. */
  readonly leaseMs: number;
}

type Context = Pick<RecoveryContext, 'application' | 'config'>;

/**
 * Refuses all writes of the tenant for as long as the lease is renewed: the restore's freeze, without a restore. It stands
 * beside a restore's own, which may come and go meanwhile.
 *
 * @throws FreezeBlockedError, UnknownTenantError, AttributionUnclearError, RightsMissingError
 */
export async function leaseTenantGate(ctx: Context, gate: TenantGate, control: StepControl): Promise<void> {
  const { application, config } = ctx;
  const state = await gateState(application, gate.id);
  if (state.kind === 'frozen') {
    await extendGate(application, gate.id, gate.leaseMs);
    return;
  }
  const plan = await inTransaction(application, async (tx) => {
    const { tenant, exists } = await findTenant(tx, config.tenancy, gate.tenant);
    if (!exists) {
      const { table, key } = config.tenancy;
      throw new UnknownTenantError(gate.tenant, { table, key, when: 'now' });
    }
    return planLive(tx, config.tenancy, tenant);
  });
  const { lockTimeout, lockAttempts } = config.recovery;
  await freezeTenant(
    application,
    {
      restoreId: gate.id,
      tenant: plan.tenant,
      tables: gateTables(plan),
      untilMs: gate.leaseMs,
      lockTimeoutMs: lockTimeout,
      attempts: lockAttempts,
      refusal: gate.refusal,
    },
    control,
  );
}

/** Opens the gate at once and takes its triggers away; what is locked is left for the workers' sweep, and lets everybody pass. */
export async function endTenantGate(ctx: Context, id: string, control: StepControl): Promise<void> {
  const { lockTimeout, lockAttempts } = ctx.config.recovery;
  await removeGate(ctx.application, id, { lockTimeoutMs: lockTimeout, attempts: lockAttempts }, control);
  await ctx.application.query(
    `delete from chronawflow.gate g where restore_id = $1 and state = 'open'
       and not exists (select from pg_proc p where p.pronamespace = 'chronawflow'::regnamespace
         and obj_description(p.oid, 'pg_proc') = g.restore_id)`,
    [id],
  );
}
