import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { ClientBase, Pool } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { inTransaction, quoteList, quoteLiteral, quoteQualified } from '../../../database';
import { bothEnded } from '../both-ended';
import { SET_BULK_SETTINGS, SET_SLICE_READING } from '../diff/bulk-settings';
import { imageColumn, imageDigest, setImageSettings } from '../diff/image.pure';
import { MANY_CHANGES } from '../diff/many-changes';
import { measureStage } from '../diff/measure-slice';
import { stageCompletions } from '../effects';
import type { RecoveryContext, StepControl } from '../engine';
import { type ErasedSince, erasedPart, erasedSince, eraseStaged } from '../erase/erase-staged';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { TenantAbsentAtTargetError } from '../errors/tenant-absent-at-target-error';
import { freezeNotices } from '../gate/freeze-notices';
import { dropRestoreRelations } from '../record/drop-relations';
import { loadRecord, savePlan } from '../record/restore-record';
import { readScratch } from '../scratch/read-scratch';
import { sharedBy, withSessionPool } from '../sessions';
import type { ResolvedTarget } from '../types';
import { anyLive } from './any-live';
import { tableName } from './catalog-types';
import { forbidTextIndexes } from './forbid-text-indexes';
import { indexStage } from './index-stage';
import { largestFirst } from './largest-first';
import { loadSlice, sliceSchemas } from './load-slice';
import { planLookup } from './plan-lookup.pure';
import { planSlice } from './plan-slice.pure';
import type { PlanTable, SlicePlan } from './plan-types';
import { ownedBy } from './predicate.pure';
import { type PreparedSlice, takePrepared } from './prepare-slice';
import { readCatalog } from './read-catalog';
import { stageTable } from './restore-tables.pure';
import { schemaHash } from './schema-hash';
import { createStageSql } from './stage-sql.pure';

export interface Staged {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Copies the tenant's rows at the target from the scratch cluster into unlogged tables beside the live ones, several
 * tables at a time and streaming: the worker never holds more than a few buffers. Done again from the start after a
 * crash; staging has no other reader until the plan that names it is saved.
 */
export async function stageSlice(
  ctx: RecoveryContext,
  restoreId: string,
  scratch: Pool,
  target: Pick<ResolvedTarget, 'at'>,
  control: StepControl,
): Promise<Staged> {
  const record = await loadRecord(ctx.application, restoreId);
  if (record.state !== 'active') throw new RestoreClosedError(restoreId, record.state);
  return withSessionPool(ctx, async (pool) => {
    const plan = await makePlan(ctx, record.tenant, scratch);
    if (plan.tables.length === 0) throw new TenantAbsentAtTargetError(record.tenant, { tables: false });
    const erased = await erasedSince(ctx, record.tenant, target.at);
    const prepared = await takePrepared(ctx.application, restoreId);
    await dropRestoreRelations(ctx.application, restoreId, [
      'preview',
      ...(prepared ? [] : ['stage' as const]),
    ]);
    // The notices are about the live side alone.
    const [staged, notices] = await bothEnded(
      stageAll(ctx, pool, { restoreId, plan, erased, prepared }, scratch, control),
      prepared?.schemaHash === plan.schemaHash
        ? Promise.resolve(prepared.notices)
        : freezeNotices(ctx.application, plan),
    );
    await stageCompletions(ctx, restoreId, record.tenant, scratch, control);
    const tables = plan.tables.map((table) => ({ ...table, ...staged.get(table.n)?.found }));
    const rowsErased = [...staged.values()].reduce((sum, one) => sum + one.erased, 0);
    await savePlan(ctx.application, restoreId, {
      ...plan,
      tables,
      notices: [...plan.notices, ...notices],
      ...erasedPart(erased, rowsErased),
    });
    return {
      rows: tables.reduce((sum, table) => sum + table.stagedRows, 0),
      bytes: [...staged.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

/** By table number. */
async function stageAll(
  ctx: RecoveryContext,
  pool: Pool,
  staging: Staging,
  scratch: Pool,
  control: StepControl,
): Promise<ReadonlyMap<number, StagedTable>> {
  const sessions = sharedBy(pool, ctx.config.recovery.sessions, (tx) => prepareStaging(tx, staging.plan));
  const tables = await largestFirst(pool, staging.plan.tables);
  const staged = await sessions.each(tables, async (tx, table) => {
    control.signal?.throwIfAborted();
    return [table.n, await stageOne(tx, ctx, scratch, staging, table, control)] as const;
  });
  return new Map(staged);
}

async function prepareStaging(tx: ClientBase, plan: SlicePlan): Promise<void> {
  await tx.query(`${setImageSettings(plan.searchPath)}; ${SET_BULK_SETTINGS}`);
}

async function makePlan(ctx: RecoveryContext, tenant: string, scratch: Pool): Promise<SlicePlan> {
  const [live, target] = await bothEnded(
    inTransaction(ctx.application, (tx) => loadSlice(tx, ctx.config.tenancy, tenant)),
    inTransaction(scratch, (tx) => readCatalog(tx, sliceSchemas(ctx.config.tenancy, tenant)), {
      readOnly: true,
    }),
  );
  return planSlice({
    tenant,
    live: live.catalog,
    attribution: live.attribution,
    target,
    rules: live.rules,
    forward: forwardColumns(ctx.config.tenancy.overrides),
    schemaHash: schemaHash(live.catalog, live.attribution),
    schemas: live.schemas,
  });
}

/** `tenancy.overrides` reduced to the columns that only move forward. */
export function forwardColumns(
  overrides: Readonly<Record<string, { readonly forward?: readonly string[] }>>,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(overrides).flatMap(([name, { forward }]) =>
      forward === undefined ? [] : [[name, forward]],
    ),
  );
}

interface StagedTable {
  readonly found: Pick<PlanTable, 'stagedRows' | 'stagedImage' | 'unindexed'>;
  readonly bytes: number;
  /** Rows of people who were erased after the target. */
  readonly erased: number;
}

/** What is staged for which restore, and what of it must not come back. */
interface Staging {
  readonly restoreId: string;
  readonly plan: SlicePlan;
  readonly erased: ErasedSince;
  readonly prepared: PreparedSlice | undefined;
}

async function stageOne(
  tx: ClientBase,
  ctx: RecoveryContext,
  scratch: Pool,
  { restoreId, plan, erased: since, prepared }: Staging,
  table: PlanTable,
  control: StepControl,
): Promise<StagedTable> {
  control.progress?.({
    step: `staging ${tableName(table)}`,
    done: table.n,
    total: plan.tables.length,
  });
  await readyStage(tx, restoreId, table, prepared);
  const { bytes, sha256 } = await readScratch(scratch, (source) =>
    copyAcross(source, tx, restoreId, plan, table, control),
  );
  const { erased } = await eraseStaged(tx, ctx, restoreId, table, since);
  await tx.query(`analyze ${stageTable(restoreId, table)}`);
  const { rows, a, b } = await measureStage(tx, restoreId, table);
  const lost = await isLostNow(tx, plan, table, Number(rows));
  if (!lost) await indexStage(tx, restoreId, table);
  // Rows that are moved forward before each comparison, and erased ones, are not what was copied.
  const image =
    table.forward.length > 0 || erased > 0 ? {} : { stagedImage: { sha256, a: String(a), b: String(b) } };
  const found = { stagedRows: Number(rows), ...image, ...(lost ? { unindexed: true as const } : {}) };
  return { found, bytes, erased };
}

/** Makes the staging table, unless it was made ahead and nobody has filled it since. */
async function readyStage(
  tx: ClientBase,
  restoreId: string,
  table: PlanTable,
  prepared: PreparedSlice | undefined,
): Promise<void> {
  const create = createStageSql(restoreId, table);
  const stage = stageTable(restoreId, table);
  if (prepared?.stages[table.n] === create) {
    const { rows } = await tx.query<{ filled: boolean }>(`select exists (select from ${stage}) as filled`);
    if (rows[0]?.filled === false) return;
  }
  await tx.query(`drop table if exists ${stage}; ${create}`);
}

/**
 * A table of which nothing is left comes back whole, without any row being looked up by its key: a fifth of the staging
 * is its index. Not where live rows are found by the staged keys.
 */
async function isLostNow(
  tx: ClientBase,
  plan: SlicePlan,
  table: PlanTable,
  stagedRows: number,
): Promise<boolean> {
  const looked = table.key.length === 0 || table.nullableOwner || table.forward.length > 0;
  if (looked || stagedRows <= MANY_CHANGES) return false;
  return !(await anyLive(tx, plan.tenant, table, ownedBy(table, 't', '$1::text', planLookup(plan))));
}

/**
 * The rows come as they lie in the scratch cluster, which is the order in which inserting them is cheapest; those that are
 * few and found by their parents come in the parents' order. Nothing of it changes, so the same restore, staged again, has
 * the same digest. Parallel plans and scans that join a running one would change the order.
 */
const SET_STABLE_ORDER =
  'set local max_parallel_workers_per_gather = 0; set local synchronize_seqscans = off';

async function copyAcross(
  source: ClientBase,
  sink: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  table: PlanTable,
  control: StepControl,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  await source.query(`${setImageSettings(plan.searchPath)}; ${SET_STABLE_ORDER}`);
  if (table.attribution.kind === 'path') await source.query(SET_SLICE_READING);
  await forbidTextIndexes(source, table);
  const columns = table.columns.map((column) => column.name);
  const lookup = planLookup(plan);
  const owned = ownedBy(asAtTarget(table), 't', `${quoteLiteral(plan.tenant)}::text`, (name) =>
    asAtTarget(lookup(name)),
  );
  const format = table.binaryCopy ? ' (format binary)' : '';
  // COPY takes no parameters. A digest, where one is needed, is computed by the scratch server while this one writes.
  const reading = source.query(
    copyTo(
      `copy (select ${[quoteList(columns, 't.'), ...imageColumn(table).map(() => imageDigest(table.columns, 't'))].join(', ')} from ${quoteQualified(table)} t where ${owned}) to stdout${format}`,
    ),
  );
  const writing = sink.query(
    copyFrom(
      `copy ${stageTable(restoreId, table)} (${quoteList([...columns, ...imageColumn(table)])}) from stdin${format}`,
    ),
  );
  const hash = createHash('sha256');
  let bytes = 0;
  let reported = 0;
  reading.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes - reported < 16 * 1024 * 1024) return;
    reported = bytes;
    control.progress?.({ step: `staging ${table.schema}.${table.name}`, done: bytes });
  });
  await pipeline(reading, writing, { signal: control.signal });
  return { bytes, sha256: hash.digest('hex') };
}

/** The tenant column may have had another type then, which has to be compared with a value of that type. */
function asAtTarget(table: PlanTable): PlanTable {
  return table.ownerTypeAtTarget === undefined ? table : { ...table, ownerType: table.ownerTypeAtTarget };
}
