import type { ClientBase } from 'pg';
import type { TableOverride, TenancyConfig } from '../../../config';
import { inTransaction } from '../../../database';
import { InvalidInputError } from '../../errors';
import type { OpenRestore, RecoveryContext } from '../engine';
import { RestoreAlreadyRanError } from '../errors/restore-already-ran-error';
import { RestoreInProgressError } from '../errors/restore-in-progress-error';
import { TriggersFireError } from '../errors/triggers-fire-error';
import { UnknownTenantError } from '../errors/unknown-tenant-error';
import type { AttributedTable } from '../slice/attribution.pure';
import { tableName } from '../slice/catalog-types';
import { loadSlice } from '../slice/load-slice';
import { findTenant } from '../slice/tenant-row';
import { checkRole } from './check-role';
import { findActiveRecord, findRecord } from './restore-record';

/**
 * Opens a restore: everything that can be refused before any backup is touched is refused here, and the record that
 * keeps a second operation away from the tenant is written.
 */
export async function openRestore(ctx: RecoveryContext, request: OpenRestore): Promise<void> {
  const existing = await findRecord(ctx.application, request.restoreId);
  if (existing?.closed) throw new RestoreAlreadyRanError(existing.id, existing.workflowId, existing.state);
  if (existing !== undefined) return;

  await inTransaction(ctx.application, async (tx) => {
    const { tenancy } = ctx.config;
    const found = await findTenant(tx, tenancy, request.tenant);
    if (!found.exists && !request.tenantDeleted) {
      throw new UnknownTenantError(request.tenant, { table: tenancy.table, key: tenancy.key, when: 'now' });
    }
    if (request.exactTenant && found.tenant !== request.tenant) {
      throw new InvalidInputError(`The tenant's key is ${found.tenant}, not ${request.tenant}.`, {
        hint: 'Where operators sign, name the tenant as its row does.',
      });
    }
    const { attribution } = await loadSlice(tx, tenancy, found.tenant);
    await checkRole(tx, attribution.slice);
    checkTriggers(attribution.slice, tenancy.overrides);
    await insertRecord(tx, request, found.tenant);
  });
}

async function insertRecord(tx: ClientBase, request: OpenRestore, tenant: string): Promise<void> {
  // The partial unique index decides between two that come at once; `do nothing` leaves this transaction usable.
  const { rowCount } = await tx.query(
    `insert into chronawflow.restore (id, kind, tenant, workflow_id, undo_of, state) values ($1, $2, $3, $4, $5, 'active') on conflict do nothing`,
    [request.restoreId, request.kind, tenant, request.workflowId, request.undoOf ?? null],
  );
  if (rowCount === 1) return;
  // Another attempt of this very step was faster.
  if ((await findRecord(tx, request.restoreId)) !== undefined) return;
  const running = await findActiveRecord(tx, tenant);
  if (running !== undefined) throw new RestoreInProgressError(tenant, running);
  // The one that was in the way has ended between the two statements: the place is free now.
  await insertRecord(tx, request, tenant);
}

/** Invariant 15: user triggers that replica role does not silence are an error unless they are allowed by name. */
function checkTriggers(slice: readonly AttributedTable[], overrides: TenancyConfig['overrides']): void {
  const firing = slice.flatMap(({ table }) => {
    const override: TableOverride | undefined = overrides[tableName(table)] ?? overrides[`*.${table.name}`];
    return table.triggers
      .filter(
        (trigger) =>
          (trigger.enabled === 'A' || trigger.enabled === 'R') &&
          !override?.allowTriggers?.includes(trigger.name),
      )
      .map((trigger) => ({ table: tableName(table), trigger: trigger.name }));
  });
  if (firing.length > 0) throw new TriggersFireError(firing);
}
