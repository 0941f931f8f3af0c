import type { ClientBase, Pool } from 'pg';
import type { TenancyConfig } from '../../../config';
import { inTransaction } from '../../../database';
import type { PreviewRequest, RecoveryContext, StepControl } from '../engine';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { SchemaChangedError } from '../errors/schema-changed-error';
import { TenantAbsentAtTargetError } from '../errors/tenant-absent-at-target-error';
import { TenantTableMissingError } from '../errors/tenant-table-missing-error';
import { UnknownTenantError } from '../errors/unknown-tenant-error';
import { loadRecord } from '../record/restore-record';
import { tableName } from '../slice/catalog-types';
import { loadSlice } from '../slice/load-slice';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { readCatalog } from '../slice/read-catalog';
import { schemaHash } from '../slice/schema-hash';
import { findTenant } from '../slice/tenant-row';
import type { RestorePreview, TableChanges } from '../types';
import { planForSize, SET_BULK_SETTINGS } from './bulk-settings';
import { checkStaging, countChanges, saveComparison } from './comparison';
import { changesName, computeChanges } from './compute-changes';
import { detectConflicts } from './detect-conflicts';
import { diffHash } from './diff-hash';
import { setImageSettings } from './image.pure';
import { unmapStaging } from './map-staging';
import { measureExpected, measureLive, type SliceLanes } from './measure-slice';
import { sliceDigest } from './slice-digest.pure';

/** Merge time per changed row, measured on 2 cores (docs/resilience/recovery.md, "Figures"); an estimate for people. */
const MERGE_MICROSECONDS_PER_CHANGE = 25;
const MERGE_MICROSECONDS_PER_ROW = 6;

/**
 * Compares staging with the live slice and says what a merge would do, without doing it. Repeatable; each run replaces
 * the one before. Row images stay in the database, to be paged (page-changes.ts).
 */
export async function previewRestore(
  ctx: RecoveryContext,
  request: PreviewRequest,
  scratch: Pool | undefined,
  control: StepControl,
): Promise<RestorePreview> {
  const { restoreId } = request;
  // One snapshot: the digest has to be of the very rows that were compared, also when the tenant is not frozen yet.
  const options = { isolation: 'repeatable read' } as const;
  return inTransaction(
    ctx.application,
    async (tx) => {
      const record = await loadRecord(tx, restoreId);
      if (record.state !== 'active' || record.plan === undefined)
        throw new RestoreClosedError(restoreId, record.state);
      const { plan } = record;
      const live = await loadSlice(tx, ctx.config.tenancy, plan.tenant);
      if (schemaHash(live.catalog, live.attribution) !== plan.schemaHash)
        throw new SchemaChangedError(restoreId);
      if (scratch !== undefined) await checkPresence(tx, scratch, ctx, plan.tenant, request.allowEmpty);

      await tx.query(setImageSettings(plan.searchPath));
      await tx.query(SET_BULK_SETTINGS);
      await checkStaging(tx, restoreId, plan);
      await unmapStaging(tx, restoreId, plan);
      control.progress?.({ step: 'comparing' });
      await computeChanges(tx, restoreId, plan, request.modes, 'preview');
      await planForSize(tx, restoreId, plan, 'preview');
      control.progress?.({ step: 'looking for conflicts' });
      const target = scratch && {
        scratch,
        catalog: await inTransaction(scratch, (source) => readCatalog(source, live.schemas), {
          readOnly: true,
        }),
      };
      const conflicts = await detectConflicts(tx, {
        restoreId,
        plan,
        live: live.catalog,
        target,
        decisions: request.decisions,
        shared: live.attribution.shared.map(tableName),
        sensitive: ctx.config.recovery.sensitiveColumns,
        kind: 'preview',
      });
      control.progress?.({ step: 'hashing' });
      const now = await measureLive(tx, restoreId, plan);
      const expected = await measureExpected(tx, restoreId, plan, now, 'preview');
      const tables = await summarizeChanges(tx, restoreId, plan, now);
      const blocked = conflicts.some((conflict) => conflict.decision === 'block');
      const hash = await diffHash(tx, restoreId, plan, 'preview');
      const changes: Record<string, number> = {};
      for (const table of plan.tables) changes[table.n] = await countChanges(tx, restoreId, table, 'preview');
      await saveComparison(tx, restoreId, { diffHash: hash, now, expected, changes }, blocked);
      return {
        restoreId,
        tenant: plan.tenant,
        diffHash: hash,
        schemaHash: plan.schemaHash,
        tables,
        totals: totalsOf(tables),
        conflicts,
        blocked,
        notices: plan.notices,
        bytesStaged: await stagedBytes(tx, restoreId),
        estimatedMergeMs: estimateMergeMs(tables),
        digestNow: sliceDigest(now),
        digestExpected: sliceDigest(expected),
      };
    },
    options,
  );
}

/** A tenant that is nowhere is unknown; one that was not there at the target needs `--allow-empty`. */
async function checkPresence(
  tx: ClientBase,
  scratch: Pool,
  ctx: RecoveryContext,
  tenant: string,
  allowEmpty: boolean,
): Promise<void> {
  const { tenancy } = ctx.config;
  const now = await findTenant(tx, tenancy, tenant);
  if (await existedAtTarget(scratch, tenancy, tenant)) return;
  if (!now.exists)
    throw new UnknownTenantError(tenant, { table: tenancy.table, key: tenancy.key, when: 'at the target' });
  if (!allowEmpty) throw new TenantAbsentAtTargetError(tenant);
}

/** A tenant table that was made since the target had no tenants then. */
async function existedAtTarget(scratch: Pool, tenancy: TenancyConfig, tenant: string): Promise<boolean> {
  try {
    const { exists } = await inTransaction(scratch, (source) => findTenant(source, tenancy, tenant), {
      readOnly: true,
    });
    return exists;
  } catch (error) {
    if (error instanceof TenantTableMissingError) return false;
    throw error;
  }
}

async function summarizeChanges(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  now: SliceLanes,
): Promise<TableChanges[]> {
  const counted: TableChanges[] = [];
  for (const table of plan.tables) {
    const { rows } = await tx.query<{ i: string; u: string; d: string }>(
      `select count(*) filter (where chronawflow_op = 'i') as i, count(*) filter (where chronawflow_op = 'u') as u, count(*) filter (where chronawflow_op = 'd') as d
       from ${changesName('preview', restoreId, table)} where not chronawflow_skip`,
    );
    const [insert, update, gone] = [
      Number(rows[0]?.i ?? 0),
      Number(rows[0]?.u ?? 0),
      Number(rows[0]?.d ?? 0),
    ];
    const live = Number(now.get(tableName(table))?.rows ?? 0n);
    counted.push({ ...describe(table), insert, update, delete: gone, unchanged: live - update - gone });
  }
  return counted;
}

function describe(
  table: PlanTable,
): Pick<TableChanges, 'table' | 'attribution' | 'addedColumns' | 'droppedColumns'> {
  return {
    table: tableName(table),
    attribution: table.attribution.kind,
    addedColumns: table.addedColumns,
    droppedColumns: table.droppedColumns,
  };
}

function totalsOf(tables: readonly TableChanges[]): RestorePreview['totals'] {
  const sum = (pick: (table: TableChanges) => number) =>
    tables.reduce((total, table) => total + pick(table), 0);
  return {
    insert: sum((t) => t.insert),
    update: sum((t) => t.update),
    delete: sum((t) => t.delete),
    unchanged: sum((t) => t.unchanged),
  };
}

function estimateMergeMs(tables: readonly TableChanges[]): number {
  const totals = totalsOf(tables);
  const changed = totals.insert + totals.update + totals.delete;
  return Math.ceil(
    (changed * MERGE_MICROSECONDS_PER_CHANGE + (changed + totals.unchanged) * MERGE_MICROSECONDS_PER_ROW) /
      1000,
  );
}

async function stagedBytes(tx: ClientBase, restoreId: string): Promise<number> {
  const { rows } = await tx.query<{ bytes: string }>(
    `select coalesce(sum(pg_total_relation_size(c.oid)), 0) as bytes from pg_class c
     where c.relnamespace = 'chronawflow'::regnamespace and c.relkind = 'r' and starts_with(c.relname, $1)`,
    [`${restoreId}_stage_`],
  );
  return Number(rows[0]?.bytes ?? 0);
}
