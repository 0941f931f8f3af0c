import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { bothEnded } from '../both-ended';
import { countRedriven, countUndone } from '../effects';
import type { PreviewRequest, RecoveryContext, StepControl } from '../engine';
import { requireErased } from '../erase/erase-staged';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { SchemaChangedError } from '../errors/schema-changed-error';
import { loadRecord } from '../record/restore-record';
import { inOneSession, sharedBy, withSessionPool } from '../sessions';
import { tableName } from '../slice/catalog-types';
import { type LiveSlice, loadSlice, sliceSchemas } from '../slice/load-slice';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { readCatalog } from '../slice/read-catalog';
import { schemaHash } from '../slice/schema-hash';
import type { RestorePreview, TableChanges } from '../types';
import { planForSize, SET_BULK_SETTINGS, SET_WAITING_SETTINGS } from './bulk-settings';
import { type ChangeGroup, countsOfGroups, totalOfGroups } from './change-groups.pure';
import { checkPresence } from './check-presence';
import { compareSlice, type SliceComparison } from './compare-slice';
import { saveComparison } from './comparison';
import { decidesNothing } from './compute-changes';
import type { TargetSource } from './conflict-input';
import { detectConflicts } from './detect-conflicts';
import { diffHash } from './diff-hash';
import { countsOfAll, groupAllChanges, groupsOf } from './group-changes';
import { setImageSettings } from './image.pure';
import { expectedLanes, type SliceLanes } from './measure-slice';
import { sliceDigest } from './slice-digest.pure';

/** Merge time per changed row, measured on 2 cores (docs/resilience/recovery.md, "Figures"); an estimate for people. */
const MERGE_MICROSECONDS_PER_CHANGE = 25;
const MERGE_MICROSECONDS_PER_ROW = 6;

/** One preview: what was asked for, of which plan, and where the target's rows and schema are. */
interface PreviewScope {
  readonly ctx: RecoveryContext;
  readonly request: PreviewRequest;
  readonly plan: SlicePlan;
  /** Absent for an undo. */
  readonly scratch: Pool | undefined;
  readonly control: StepControl;
}

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
  const { restoreId, modes, decisions } = request;
  const { state, plan } = await loadRecord(ctx.application, restoreId);
  if (state !== 'active' || plan === undefined) throw new RestoreClosedError(restoreId, state);
  await requireErased(ctx, restoreId, plan);
  const scope: PreviewScope = { ctx, request, plan, scratch, control };
  return withSessionPool(ctx, async (pool) => {
    const [{ checked: live, ...comparison }, target] = await bothEnded(
      compareSlice(
        ctx,
        pool,
        { restoreId, plan, modes, decisions, kind: 'preview' },
        (tx) => checkStanding(tx, scope),
        control,
      ),
      readTarget(scope),
    );
    return inTransaction(pool, (tx) => judge(tx, pool, scope, live, target, comparison));
  });
}

/** What has to hold before anything is compared: the schema that was staged for, a tenant that was there. */
async function checkStanding(
  tx: ClientBase,
  { ctx, request, plan, scratch }: PreviewScope,
): Promise<LiveSlice> {
  const live = await loadSlice(tx, ctx.config.tenancy, plan.tenant);
  if (schemaHash(live.catalog, live.attribution) !== plan.schemaHash)
    throw new SchemaChangedError(request.restoreId);
  if (scratch !== undefined)
    await checkPresence(tx, scratch, ctx.config.tenancy, plan.tenant, request.allowEmpty);
  return live;
}

async function readTarget({ ctx, plan, scratch }: PreviewScope): Promise<TargetSource | undefined> {
  if (scratch === undefined) return undefined;
  const schemas = sliceSchemas(ctx.config.tenancy, plan.tenant);
  const catalog = await inTransaction(scratch, (source) => readCatalog(source, schemas), { readOnly: true });
  return { scratch, catalog };
}

/** Looks for conflicts among the changes, hashes them, and keeps what the merge needs to take them over. */
async function judge(
  tx: ClientBase,
  pool: Pool,
  { ctx, request, plan, control }: PreviewScope,
  live: LiveSlice,
  target: TargetSource | undefined,
  { groups: compared, now }: SliceComparison,
): Promise<RestorePreview> {
  const { restoreId, decisions } = request;
  const prepare = async (session: ClientBase) => {
    await session.query(`${setImageSettings(plan.searchPath)}; ${SET_BULK_SETTINGS}`);
    await planForSize(session, compared);
  };
  await prepare(tx);
  await tx.query(SET_WAITING_SETTINGS);
  const sessions = sharedBy(pool, ctx.config.recovery.sessions, prepare);
  control.progress?.({ step: 'looking for conflicts' });
  const conflicts = await detectConflicts(tx, sessions, {
    restoreId,
    plan,
    live: live.catalog,
    target,
    decisions,
    shared: live.attribution.shared.map(tableName),
    sensitive: ctx.config.recovery.sensitiveColumns,
    kind: 'preview',
    counts: countsOfAll(compared),
    empty: new Set(plan.tables.filter((table) => rowsIn(now, table) === 0).map(({ n }) => n)),
  });
  control.progress?.({ step: 'hashing' });
  // What a decision has skipped or mapped just now only this session sees.
  const undecided = decidesNothing(decisions);
  const own = undecided ? sessions : inOneSession(tx);
  const groups = undecided ? compared : await groupAllChanges(own, restoreId, plan, 'preview');
  const diff = await diffHash(own, restoreId, plan, 'preview', groups, decisions);
  const blocked = conflicts.some((conflict) => conflict.decision === 'block');
  const changes = Object.fromEntries([...groups].map(([n, ofTable]) => [n, totalOfGroups(ofTable)]));
  await saveComparison(tx, restoreId, { diffHash: diff, now, changes }, blocked);
  const tables = plan.tables.map((table) => summarize(table, groupsOf(groups, table), now));
  return {
    restoreId,
    tenant: plan.tenant,
    diffHash: diff,
    schemaHash: plan.schemaHash,
    tables,
    totals: totalsOf(tables),
    conflicts,
    blocked,
    notices: [...plan.notices, ...(await redrivenNotice(tx, plan))],
    ...erasedAgain(plan),
    ...(await undoneBy(tx, restoreId, plan)),
    bytesStaged: await stagedBytes(tx, restoreId),
    estimatedMergeMs: estimateMergeMs(tables),
    digestNow: sliceDigest(now),
    digestExpected: sliceDigest(expectedLanes(plan, now, groups)),
  };
}

function summarize(table: PlanTable, groups: readonly ChangeGroup[], now: SliceLanes): TableChanges {
  const counts = countsOfGroups(groups);
  return { ...describe(table), ...counts, unchanged: rowsIn(now, table) - counts.update - counts.delete };
}

function rowsIn(now: SliceLanes, table: PlanTable): number {
  return Number(now.get(tableName(table))?.rows ?? 0n);
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

/** An undo takes nothing of this kind back: rows that were written since are conflicts of their own. */
async function undoneBy(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
): Promise<Pick<RestorePreview, 'undoneEffects'>> {
  if (plan.undoOf !== undefined) return {};
  const undoneEffects = await countUndone(tx, restoreId, plan.tenant);
  return undoneEffects === undefined ? {} : { undoneEffects };
}

function erasedAgain({ erased }: SlicePlan): Pick<RestorePreview, 'erasedAgain'> {
  if (erased === undefined || erased.erasures === 0) return {};
  return { erasedAgain: { erasures: erased.erasures, rows: erased.rows } };
}

async function redrivenNotice(tx: ClientBase, plan: SlicePlan): Promise<string[]> {
  if (plan.undoOf === undefined) return [];
  const redriven = await countRedriven(tx, plan.undoOf);
  if (redriven === 0) return [];
  return [
    `${redriven} job(s) or request(s) were redriven since restore ${plan.undoOf}: the undo puts their first effects back beside the second ones.`,
  ];
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
