import type { RecoveryContext, StepControl } from '../engine';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { loadRecord } from '../record/restore-record';
import type { FreezeResult } from '../types';
import { freezeTenant } from './freeze-tenant';
import { gateTables } from './gate-tables';

/** Freezes the tenant on all tables of the restore's plan, for at most the configured freeze limit. */
export async function freezeSlice(
  ctx: RecoveryContext,
  restoreId: string,
  control: StepControl,
): Promise<FreezeResult> {
  const record = await loadRecord(ctx.application, restoreId);
  if (record.state !== 'active' || record.plan === undefined)
    throw new RestoreClosedError(restoreId, record.state);
  const { freezeLimit, lockTimeout, lockAttempts } = ctx.config.recovery;
  const spec = {
    restoreId,
    tenant: record.tenant,
    tables: gateTables(record.plan),
    untilMs: freezeLimit,
    lockTimeoutMs: lockTimeout,
    attempts: lockAttempts,
  };
  return freezeTenant(ctx.application, spec, control);
}
