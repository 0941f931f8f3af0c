import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type {
  MergeControl,
  OpenRestore,
  PreviewRequest,
  RecoveryEngine,
  StepControl,
} from '../../core/recovery/engine';
import { RestoreClosedError } from '../../core/recovery/errors/restore-closed-error';
import { RestoreInProgressError } from '../../core/recovery/errors/restore-in-progress-error';
import { RestoreNotFoundError } from '../../core/recovery/errors/restore-not-found-error';
import type {
  Conflict,
  MergeResult,
  ResolvedTarget,
  RestorePreview,
  ScratchHandle,
} from '../../core/recovery/types';
import { inTransaction } from '../../database';

export type StepName = keyof RecoveryEngine;

interface Entry extends OpenRestore {
  state: 'active' | 'cancelled' | 'merged';
  closed?: string;
  merge?: Extract<MergeResult, { kind: 'merged' }>;
}

/**
 * A double for tests of the workflows' logic: keeps the promises of RecoveryEngine about order and idempotence, moves
 * no row. What happens in PostgreSQL is tested with the real engine.
 */
export class InMemoryRecoveryEngine implements RecoveryEngine {
  readonly calls: StepName[] = [];
  readonly frozen = new Set<string>();
  readonly scratch = new Set<string>();
  /** The tenant's rows as the next diff sees them. */
  liveHash = 'hash-1';
  changes = 3;
  conflicts: readonly Conflict[] = [];
  freezeLimitMs = 60_000;
  /** Where merges commit, for what they have to ask just before. */
  application: Pool | undefined;

  private readonly entries = new Map<string, Entry>();
  private readonly held = new Map<
    StepName,
    { readonly reached: () => void; readonly released: Promise<void> }
  >();
  private readonly failures = new Map<StepName, Error[]>();
  private readonly after = new Map<StepName, () => void>();

  /** The step stops before it does anything, until released or interrupted. */
  hold(step: StepName): { readonly reached: Promise<void>; readonly release: () => void } {
    let reached = () => {};
    let release = () => {};
    const reaching = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = () => {
        this.held.delete(step);
        resolve();
      };
    });
    this.held.set(step, { reached, released });
    return { reached: reaching, release };
  }

  /** The step's next attempts throw these errors, one each. */
  failNext(step: StepName, ...errors: readonly Error[]): void {
    this.failures.set(step, [...errors]);
  }

  /** Runs once, right after the step did its work and before its answer leaves. */
  afterNext(step: StepName, effect: () => void): void {
    this.after.set(step, effect);
  }

  get unclosed(): readonly OpenRestore[] {
    return [...this.entries.values()].filter((entry) => entry.closed === undefined);
  }

  closedAs(restoreId: string): string | undefined {
    return this.entries.get(restoreId)?.closed;
  }

  merges(): number {
    return [...this.entries.values()].filter((entry) => entry.merge !== undefined).length;
  }

  async open(request: OpenRestore): Promise<void> {
    await this.step('open', {}, async () => this.take(request));
  }

  private take(request: OpenRestore): void {
    const known = this.entries.get(request.restoreId);
    if (known !== undefined) return;
    const other = this.unclosed.find((entry) => entry.tenant === request.tenant);
    if (other !== undefined) {
      throw new RestoreInProgressError(request.tenant, {
        id: other.restoreId,
        workflowId: other.workflowId,
        kind: other.kind,
      });
    }
    this.entries.set(request.restoreId, { ...request, state: 'active' });
  }

  resolveTarget(_request: unknown, options: { readonly timeline?: number }, control: StepControl) {
    return this.step(
      'resolveTarget',
      control,
      async (): Promise<ResolvedTarget> => ({
        kind: 'time',
        value: '2026-11-23 10:15:00.123456+00',
        at: '2026-11-23T10:15:00.123456Z',
        timeline: options.timeline ?? 1,
        backupLabel: '20261123-090000F',
        firstSegment: '000000010000000000000003',
        fenceSegment: '000000010000000000000007',
        fenceToken: 'fence',
        systemId: '7000000000000000000',
      }),
    );
  }

  verifyBackup(target: ResolvedTarget, control: StepControl) {
    return this.step('verifyBackup', control, async () => ({
      backupLabel: target.backupLabel,
      segments: 5,
      latestRestorable: '2026-11-23T10:20:00.000000Z',
      checkedAt: '2026-11-23T10:20:01.500000Z',
    }));
  }

  restoreScratch(restoreId: string, _target: ResolvedTarget, control: StepControl) {
    return this.step('restoreScratch', control, async (): Promise<ScratchHandle> => {
      this.scratch.add(restoreId);
      return { restoreId, host: 'here', directory: '/s', socketDirectory: '/s', port: 1, database: 'app' };
    });
  }

  validateScratch(_scratch: ScratchHandle, target: ResolvedTarget, control: StepControl) {
    return this.step('validateScratch', control, async () => ({
      timeline: target.timeline,
      replayLsn: '0/7000060',
      stoppedBecause: 'recovery stopping before commit of transaction 742',
    }));
  }

  async removeScratch(restoreId: string): Promise<void> {
    await this.step('removeScratch', {}, async () => {
      this.scratch.delete(restoreId);
    });
  }

  prepareSlice(_restoreId: string, control: StepControl) {
    return this.step('prepareSlice', control, async () => ({ tables: 3 }));
  }

  stageSlice(_restoreId: string, _scratch: ScratchHandle, _target: ResolvedTarget, control: StepControl) {
    return this.step('stageSlice', control, async () => ({ rows: 10, bytes: 1_000 }));
  }

  stageUndo(_restoreId: string, control: StepControl) {
    return this.step('stageUndo', control, async () => ({ rows: 3, bytes: 300 }));
  }

  freeze(restoreId: string, control: StepControl) {
    return this.step('freeze', control, async () => {
      this.frozen.add(this.entry(restoreId).tenant);
      const now = Date.now();
      return {
        frozenAt: new Date(now).toISOString(),
        until: new Date(now + this.freezeLimitMs).toISOString(),
        tables: 4,
        attempts: 1,
        longestLockMs: 12,
      };
    });
  }

  preview(request: PreviewRequest, _scratch: unknown, _target: unknown, control: StepControl) {
    return this.step('preview', control, async (): Promise<RestorePreview> => {
      const { tenant } = this.entry(request.restoreId);
      const counts = { insert: this.changes, update: 0, delete: 0, unchanged: 7 };
      return {
        restoreId: request.restoreId,
        tenant,
        diffHash: this.liveHash,
        schemaHash: 'schema',
        tables: [
          { table: 'public.invoice', attribution: 'column', ...counts, addedColumns: [], droppedColumns: [] },
        ],
        totals: counts,
        conflicts: this.conflicts,
        blocked: this.conflicts.some((conflict) => conflict.decision === 'block'),
        notices: [],
        bytesStaged: 1_000,
        estimatedMergeMs: 20,
        digestNow: 'a'.repeat(64),
        digestExpected: 'b'.repeat(64),
      };
    });
  }

  merge(request: PreviewRequest, approvedHash: string, control: MergeControl) {
    return this.step('merge', control, async (): Promise<MergeResult> => {
      const entry = this.entry(request.restoreId);
      if (entry.merge !== undefined) return entry.merge;
      if (entry.state !== 'active') throw new RestoreClosedError(request.restoreId, entry.state);
      if (approvedHash !== this.liveHash) return { kind: 'diff-changed', diffHash: this.liveHash };
      const { application } = this;
      if (control.beforeCommit !== undefined) {
        if (application === undefined) throw new RangeError('the test names no database for merges');
        const { restoreId, tenant, undoOf } = entry;
        await inTransaction(application, async (tx) =>
          control.beforeCommit?.(tx, { restoreId, tenant, undoOf, diffHash: approvedHash }),
        );
      }
      entry.state = 'merged';
      entry.merge = {
        kind: 'merged',
        mergedAt: new Date().toISOString(),
        digestBefore: 'a'.repeat(64),
        digestAfter: 'b'.repeat(64),
        rows: [{ table: 'public.invoice', inserted: this.changes, updated: 0, deleted: 0 }],
        sequencesForwarded: [],
        timings: { write: 5 },
      };
      return entry.merge;
    });
  }

  cancel(restoreId: string) {
    return this.step('cancel', {}, async (): Promise<'cancelled' | 'merged'> => {
      const entry = this.entry(restoreId);
      if (entry.state === 'merged') return 'merged';
      entry.state = 'cancelled';
      return 'cancelled';
    });
  }

  unfreeze(restoreId: string, control: StepControl) {
    return this.step('unfreeze', control, async () => {
      this.frozen.delete(this.entry(restoreId).tenant);
    });
  }

  async close(restoreId: string, state: 'merged' | 'cancelled' | 'failed' | 'rejected'): Promise<void> {
    await this.step('close', {}, async () => {
      this.entry(restoreId).closed ??= state;
    });
  }

  private entry(restoreId: string): Entry {
    const entry = this.entries.get(restoreId);
    if (entry === undefined) throw new RestoreNotFoundError(restoreId);
    return entry;
  }

  private async step<T>(step: StepName, control: StepControl, work: () => Promise<T>): Promise<T> {
    this.calls.push(step);
    const hold = this.held.get(step);
    if (hold !== undefined) {
      hold.reached();
      await interruptible(hold.released, control);
    }
    const failure = this.failures.get(step)?.shift();
    if (failure !== undefined) throw failure;
    const result = await work();
    const effect = this.after.get(step);
    this.after.delete(step);
    effect?.();
    return result;
  }
}

/** As real steps do: reports that it lives, and ends when its signal says so. */
async function interruptible(released: Promise<void>, control: StepControl): Promise<void> {
  let done = false;
  const release = released.then(() => {
    done = true;
  });
  while (!done) {
    control.signal?.throwIfAborted();
    control.progress?.({ step: 'held' });
    await Promise.race([release, sleep(100)]);
  }
}
