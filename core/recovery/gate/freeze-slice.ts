import { quoteLiteral } from '../../../database';
import type { RecoveryContext, StepControl } from '../engine';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { loadRecord } from '../record/restore-record';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { ownedBy } from '../slice/predicate.pure';
import { planLookup } from '../slice/stage-slice';
import type { FreezeResult } from '../types';
import { freezeTenant } from './freeze-tenant';
import type { GateTable } from './types';

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

function gateTables(plan: SlicePlan): GateTable[] {
  const lookup = planLookup(plan);
  const tenant = `${quoteLiteral(plan.tenant)}::text`;
  return plan.tables.map((table: PlanTable) => {
    const { attribution } = table;
    const condition: GateTable['condition'] =
      attribution.kind === 'column' || attribution.kind === 'tenant-table'
        ? { kind: 'column', column: attribution.column, type: table.ownerType ?? 'text' }
        : { kind: 'lookup', sql: (row) => ownedBy(table, row, tenant, lookup) };
    return { schema: table.schema, name: table.name, condition };
  });
}
