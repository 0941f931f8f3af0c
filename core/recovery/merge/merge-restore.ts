import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { bothEnded } from '../both-ended';
import { planForSize, SET_BULK_SETTINGS } from '../diff/bulk-settings';
import { checkStaging } from '../diff/comparison';
import { computeChanges } from '../diff/compute-changes';
import { diffHash } from '../diff/diff-hash';
import { type AllGroups, countsOfAll, groupAllChanges } from '../diff/group-changes';
import { setImageSettings } from '../diff/image.pure';
import { expectedLanes, measureLive, type SliceLanes } from '../diff/measure-slice';
import { sliceDigest } from '../diff/slice-digest.pure';
import { markUndone, parkJobs, withdrawMarks } from '../effects';
import type { MergeControl, PreviewRequest, RecoveryContext, StepControl } from '../engine';
import { requireErased } from '../erase/erase-staged';
import { lockOutErasures } from '../erase/erasure-lock';
import { JobStepsOpenError } from '../errors/job-steps-open-error';
import { ProofFailedError } from '../errors/proof-failed-error';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { SchemaChangedError } from '../errors/schema-changed-error';
import { extendGate, openGate } from '../gate/gate-row';
import { dropRestoreRelations } from '../record/drop-relations';
import { loadRecord, lockRecord, type RestoreRecord } from '../record/restore-record';
import { inOneSession, withSessionPool } from '../sessions';
import { type LiveSlice, loadSlice } from '../slice/load-slice';
import type { SlicePlan } from '../slice/plan-types';
import { readReferences } from '../slice/read-references';
import { schemaHash } from '../slice/schema-hash';
import type { MergeResult, UndoneCounts } from '../types';
import { type Adopted, adoptPreview } from './adopt-preview';
import { copySkips } from './copy-skips';
import { forwardSequences } from './forward-sequences';
import { keepLost } from './keep-lost';
import { lockSlice } from './lock-slice';
import { measureBefore } from './measure-before';
import { lockOutsideParents, proveReferences } from './prove-references';
import { proveUniqueness } from './prove-uniqueness';
import { waitForWriters } from './wait-for-writers';
import { writeChanges } from './write-changes';
import { keysBetweenLost, writtenKeys } from './written-keys.pure';

/** A row of the tenant that another session holds FOR UPDATE makes the merge wait; longer than this it gives up. */
const LOCK_TIMEOUT_MS = 10_000;
/** The gate has to outlive the merge by what a slow rollback may take. */
const GATE_MARGIN_MS = 60_000;

type Merged = Extract<MergeResult, { kind: 'merged' }>;

/** Ends the transaction without an error for the caller: the approved diff is no longer the one that would be written. */
class DiffChanged extends Error {
  constructor(readonly diffHash: string) {
    super('the diff has changed');
  }
}

/**
 * Writes the approved changes in one READ COMMITTED transaction and proves the result before it commits (invariants 14
 * to 19). The record is locked first and says `merged` in the same transaction: a timed-out attempt and its retry cannot
 * both commit, and a lost answer to COMMIT is settled by the record.
 */
export async function mergeRestore(
  ctx: RecoveryContext,
  request: PreviewRequest,
  approvedHash: string,
  control: MergeControl,
): Promise<MergeResult> {
  const settled = await loadRecord(ctx.application, request.restoreId);
  if (settled.state === 'merged' && settled.outcome !== undefined) return settled.outcome;
  const limitMs = ctx.config.recovery.mergeLimit;
  await extendGate(ctx.application, request.restoreId, limitMs + GATE_MARGIN_MS);
  if (!(await parkJobs(ctx, request.restoreId, settled.tenant, control))) {
    throw new JobStepsOpenError(settled.tenant);
  }
  try {
    return await withSessionPool(ctx, (pool) =>
      inTransaction(
        ctx.application,
        (tx) => mergeInTransaction(tx, ctx, pool, request, approvedHash, control),
        {
          isolation: 'read committed',
          statementTimeoutMs: limitMs,
          lockTimeoutMs: LOCK_TIMEOUT_MS,
        },
      ),
    );
  } catch (error) {
    if (error instanceof DiffChanged) return { kind: 'diff-changed', diffHash: error.diffHash };
    throw error;
  }
}

async function mergeInTransaction(
  tx: ClientBase,
  ctx: RecoveryContext,
  /** Sessions of what it need not do itself. */
  pool: Pool,
  request: PreviewRequest,
  approvedHash: string,
  control: MergeControl,
): Promise<Merged> {
  const { restoreId } = request;
  const timings = new StepTimings(control);
  const record = await lockRecord(tx, restoreId);
  if (record.state === 'merged' && record.outcome !== undefined) return record.outcome;
  const plan = mergeablePlan(record);
  await lockOutErasures(tx, plan.tenant);
  await requireErased(ctx, restoreId, plan);
  await openGate(tx, restoreId);
  await lockSlice(tx, restoreId, plan);
  await checkStaging(tx, restoreId, plan);
  // Where the schema has changed, measuring fails as well, and says less about it.
  const [live, before] = await bothEnded(
    loadUnchanged(tx, ctx, restoreId, plan),
    timings.step('digest before', () => measureBefore(ctx, pool, restoreId, plan)),
  );
  await tx.query(`${setImageSettings(plan.searchPath)}; ${SET_BULK_SETTINGS}`);
  const { expected, groups, lost } = await approvedChanges(tx, plan, request, approvedHash, before, timings);
  await planForSize(tx, groups);
  const counts = countsOfAll(groups);
  const references = await readReferences(tx, plan.tables);
  await tx.query('set local session_replication_role = replica');
  const keys = writtenKeys(plan, live.catalog, counts);
  const between = keysBetweenLost(keys, plan, lost, counts);
  const [rows, proved] = await timings.step('write', () =>
    bothEnded(
      writeChanges(tx, restoreId, plan, live.catalog, counts),
      keepLost(ctx, pool, restoreId, plan, { tables: lost, keys: between }, control),
    ),
  );
  await tx.query('set local session_replication_role = origin');
  const sequencesForwarded = await timings.step('sequences', () =>
    forwardSequences(tx, restoreId, plan, counts),
  );
  await timings.step('prove references', async () => {
    const others = keys.filter(({ key }) => !proved.has(key));
    await lockOutsideParents(tx, restoreId, plan, others, counts);
    await proveReferences(tx, restoreId, plan, others, references, counts);
  });
  await timings.step('prove uniqueness', async () => {
    await waitForWriters(tx, restoreId, plan, live.catalog);
    await proveUniqueness(tx, restoreId, plan, live.catalog);
  });
  const after = await timings.step('digest after', () => measureLive(tx, restoreId, plan));
  const [digestBefore, digestExpected, digestAfter] = [
    sliceDigest(before),
    sliceDigest(expected),
    sliceDigest(after),
  ];
  if (digestAfter !== digestExpected) {
    throw new ProofFailedError(
      `the tenant's slice would have digest ${digestAfter}, expected ${digestExpected}`,
    );
  }
  const undone = await timings.step('mark undone effects', () => settleMarks(tx, record, plan));
  control.signal?.throwIfAborted();
  await control.beforeCommit?.(tx, {
    restoreId,
    tenant: record.tenant,
    undoOf: record.undoOf,
    diffHash: approvedHash,
  });
  return recordMerge(tx, ctx, record, approvedHash, {
    kind: 'merged',
    mergedAt: '',
    digestBefore,
    digestAfter,
    rows,
    sequencesForwarded,
    ...(undone === undefined ? {} : { undoneEffects: undone }),
    timings: timings.all,
  });
}

/** @throws SchemaChangedError when it is not what was staged and compared. */
async function loadUnchanged(
  tx: ClientBase,
  ctx: RecoveryContext,
  restoreId: string,
  plan: SlicePlan,
): Promise<LiveSlice> {
  const live = await loadSlice(tx, ctx.config.tenancy, plan.tenant);
  if (schemaHash(live.catalog, live.attribution) !== plan.schemaHash) throw new SchemaChangedError(restoreId);
  return live;
}

/**
 * Puts the approved changes into place for the writes: the preview's, when the slice is still what it compared, else a
 * new diff. Whichever it is has to have the approved hash.
 *
 * @returns the changes, and the slice's lanes after the merge.
 */
async function approvedChanges(
  tx: ClientBase,
  plan: SlicePlan,
  { restoreId, modes, decisions }: PreviewRequest,
  approvedHash: string,
  before: SliceLanes,
  timings: StepTimings,
): Promise<{ readonly expected: SliceLanes; readonly groups: AllGroups } & Adopted> {
  const session = inOneSession(tx);
  const adopted = await timings.step('adopt preview', () =>
    adoptPreview(tx, restoreId, plan, approvedHash, before),
  );
  if (adopted === undefined) {
    await dropRestoreRelations(tx, restoreId, ['changes', 'packed']);
    const scope = { restoreId, plan, modes, decisions, kind: 'merge' } as const;
    await timings.step('diff', () =>
      session.each(plan.tables, (_, table) => computeChanges(tx, scope, table)),
    );
    await copySkips(tx, restoreId, plan);
  }
  const lost = adopted?.lost ?? new Set();
  const groups = await timings.step('count', () => groupAllChanges(session, restoreId, plan, 'merge', lost));
  // Also of changes that were taken over: an attempt at the preview that was given up may have written them anew.
  const hash = await timings.step('hash', () =>
    diffHash(session, restoreId, plan, 'merge', groups, decisions),
  );
  if (hash !== approvedHash) throw new DiffChanged(hash);
  return { groups, lost, expected: expectedLanes(plan, before, groups) };
}

async function settleMarks(
  tx: ClientBase,
  { id, undoOf }: RestoreRecord,
  plan: SlicePlan,
): Promise<UndoneCounts | undefined> {
  if (undoOf === undefined) return markUndone(tx, id, plan.tenant);
  await withdrawMarks(tx, undoOf);
  return undefined;
}

function mergeablePlan(record: RestoreRecord): SlicePlan {
  if (record.state !== 'active' || record.plan === undefined || record.blocked) {
    throw new RestoreClosedError(
      record.id,
      record.blocked ? 'blocked by conflicts without a decision' : record.state,
    );
  }
  return record.plan;
}

async function recordMerge(
  tx: ClientBase,
  ctx: RecoveryContext,
  record: RestoreRecord,
  approvedHash: string,
  merged: Merged,
): Promise<Merged> {
  const { rows } = await tx.query<{ outcome: Merged }>(
    `update chronawflow.restore set state = 'merged', diff_hash = $2, updated_at = clock_timestamp(),
       preimages_until = clock_timestamp() + $4 * interval '1 millisecond',
       outcome = jsonb_set($3::jsonb, '{mergedAt}', to_jsonb(to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
     where id = $1 returning outcome`,
    [record.id, approvedHash, JSON.stringify(merged), ctx.config.recovery.undoRetention],
  );
  return rows[0]?.outcome ?? merged;
}

/** Milliseconds of each step, by this process's monotonic clock; also tells the caller which step is running. */
class StepTimings {
  readonly all: Record<string, number> = {};

  constructor(private readonly control: StepControl) {}

  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.control.signal?.throwIfAborted();
    this.control.progress?.({ step: `merge: ${name}` });
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.all[name] = Math.round(performance.now() - started);
    }
  }
}
