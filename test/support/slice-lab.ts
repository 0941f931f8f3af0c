import type { Pool } from 'pg';
import type { z } from 'zod';
import { configSchema, type TenancyConfig } from '../../config';
import { grantApplicationRole } from '../../core/local-stack';
import { previewRestore } from '../../core/recovery/diff/preview';
import type { MergeControl, RecoveryContext } from '../../core/recovery/engine';
import { freezeSlice } from '../../core/recovery/gate/freeze-slice';
import { removeGate } from '../../core/recovery/gate/remove-gate';
import { mergeRestore } from '../../core/recovery/merge/merge-restore';
import { cancelRestore, closeRestore } from '../../core/recovery/record/close-restore';
import { openRestore } from '../../core/recovery/record/open-restore';
import { prepareSlice } from '../../core/recovery/slice/prepare-slice';
import { stageSlice } from '../../core/recovery/slice/stage-slice';
import type { ConflictDecision, MergeResult, RestoreModes, RestorePreview } from '../../core/recovery/types';
import { stageUndo } from '../../core/recovery/undo/stage-undo';
import { quoteIdentifier } from '../../database';
import type { RealApplication } from './real-application';

/**
 * Runs a restore's steps against a copy of the database taken at the target, in place of a scratch cluster: the same
 * code from staging to merge, with an oracle to compare with, in a fraction of the time.
 */
export class SliceLab {
  private copies = 0;
  private readonly targets: { readonly name: string; readonly pool: Pool }[] = [];

  constructor(readonly app: RealApplication) {}

  get context(): RecoveryContext {
    const { application, platform, config } = this.app;
    return { application, platform, config, log: { info: () => undefined, warn: () => undefined } };
  }

  /** The same databases under another `tenancy` block. */
  withTenancy(tenancy: NonNullable<World['tenancy']>): SliceLab {
    return new SliceLab({ ...this.app, config: { ...this.app.config, tenancy: parseTenancy(tenancy) } });
  }

  /** What the application itself does, as a superuser. */
  get live(): Pool {
    return this.app.superuser;
  }

  /** A copy of the application's database as it is now; nobody may be connected to it meanwhile. */
  async captureTarget(): Promise<Pool> {
    const source = this.app.config.application.database.database;
    const name = `${source}_target_${++this.copies}`;
    const pool = await copyDatabase(this.app, source, name);
    this.targets.push({ name, pool });
    return pool;
  }

  /** Drops the target's copies, and the database too when it is one of `openWorld`. */
  async drop(): Promise<void> {
    const own = this.app.config.application.database.database;
    const control = this.app.cluster.connect('postgres', undefined, 1);
    for (const { name, pool } of this.targets.splice(0)) {
      await pool.end();
      await control.query(`drop database ${quoteIdentifier(name)} with (force)`);
    }
    if (own.startsWith(WORLD)) {
      await Promise.all([this.app.application.end(), this.app.superuser.end()]);
      await control.query(`drop database ${quoteIdentifier(own)} with (force)`);
    }
    await control.end();
  }

  /** From open to preview; the tenant stands frozen. */
  async prepare(tenant: string, target: Pool, options: RestoreOptions = {}): Promise<Prepared> {
    const restoreId = options.restoreId ?? this.nextId();
    await openRestore(this.context, {
      restoreId,
      kind: 'restore',
      tenant,
      workflowId: `restore/${tenant}/${restoreId}`,
      tenantDeleted: options.tenantDeleted ?? false,
    });
    try {
      if (options.preparedAhead) await prepareSlice(this.context, restoreId, {});
      await stageSlice(this.context, restoreId, target, { at: options.at }, {});
      await freezeSlice(this.context, restoreId, {});
      const request = {
        restoreId,
        modes: { create: true, update: true, delete: true, ...options.modes },
        decisions: options.decisions ?? [],
        allowEmpty: options.allowEmpty ?? false,
      };
      const preview = await previewRestore(this.context, request, target, {});
      return {
        restoreId,
        preview,
        merge: (hash = preview.diffHash, control = {}) => mergeRestore(this.context, request, hash, control),
        previewAgain: () => previewRestore(this.context, request, target, {}),
        end: () => this.end(restoreId),
      };
    } catch (error) {
      await this.end(restoreId);
      throw error;
    }
  }

  /** Prepare, merge and clean up. */
  async restore(
    tenant: string,
    target: Pool,
    options: RestoreOptions = {},
  ): Promise<{ preview: RestorePreview; merge: MergeResult; restoreId: string }> {
    const prepared = await this.prepare(tenant, target, options);
    try {
      return { preview: prepared.preview, merge: await prepared.merge(), restoreId: prepared.restoreId };
    } finally {
      await prepared.end();
    }
  }

  /** From open to preview of an undo; the tenant stands frozen. */
  async prepareUndo(
    tenant: string,
    undoOf: string,
    decisions: readonly ConflictDecision[] = [],
  ): Promise<Prepared> {
    const restoreId = this.nextId();
    const context = this.context;
    await openRestore(context, {
      restoreId,
      kind: 'undo',
      tenant,
      workflowId: `undo/${tenant}/${undoOf}`,
      undoOf,
      tenantDeleted: true,
    });
    try {
      await stageUndo(context, restoreId, {});
      await freezeSlice(context, restoreId, {});
      const request = {
        restoreId,
        modes: { create: true, update: true, delete: true },
        decisions,
        allowEmpty: true,
      };
      const preview = await previewRestore(context, request, undefined, {});
      return {
        restoreId,
        preview,
        merge: (hash = preview.diffHash, control = {}) => mergeRestore(context, request, hash, control),
        previewAgain: () => previewRestore(context, request, undefined, {}),
        end: () => this.end(restoreId),
      };
    } catch (error) {
      await this.end(restoreId);
      throw error;
    }
  }

  private nextId(): string {
    return `r${String(++restores).padStart(6, '0')}${process.pid}`;
  }

  private async end(restoreId: string): Promise<void> {
    await cancelRestore(this.context, restoreId);
    await removeGate(this.app.application, restoreId, { lockTimeoutMs: 500, attempts: 20 });
    await closeRestore(this.context, restoreId, 'cancelled');
  }
}

const WORLD = 'world_';
let worlds = 0;
/** Labs may share a database, so their restores share a numbering. */
let restores = 0;

export interface World {
  /** DDL and rows, run as superuser. */
  readonly schema: string;
  /** Default: table public.tenants with key id, tenant columns tenant_id. */
  readonly tenancy?: Partial<z.input<typeof configSchema>['tenancy']>;
}

function parseTenancy(tenancy: World['tenancy']): TenancyConfig {
  return configSchema.shape.tenancy.parse({ table: 'public.tenants', ...tenancy });
}

/** A database of its own in the application's cluster, so that schemas of different tests never meet. */
export async function openWorld(app: RealApplication, world: World): Promise<SliceLab> {
  const name = `${WORLD}${++worlds}`;
  const tenancy = parseTenancy(world.tenancy);
  const { application, ...config } = app.config;
  const superuser = await copyDatabase(app, application.database.database, name);
  await superuser.query(world.schema);
  await grantApplicationRole(superuser, tenancy.schemas);
  return new SliceLab({
    ...app,
    superuser,
    application: app.cluster.connect(name, application.database.user, 8),
    config: {
      ...config,
      tenancy,
      application: { ...application, database: { ...application.database, database: name } },
    },
    grant: () => grantApplicationRole(superuser, tenancy.schemas),
  });
}

async function copyDatabase(app: RealApplication, source: string, name: string): Promise<Pool> {
  const control = app.cluster.connect('postgres', undefined, 1);
  await control.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [
    source,
  ]);
  await control.query(`create database ${quoteIdentifier(name)} template ${quoteIdentifier(source)}`);
  await control.end();
  return app.cluster.connect(name);
}

export interface RestoreOptions {
  /** As the workflow does it, beside the scratch restore. */
  readonly preparedAhead?: boolean;
  readonly modes?: Partial<RestoreModes>;
  readonly decisions?: readonly ConflictDecision[];
  readonly allowEmpty?: boolean;
  readonly tenantDeleted?: boolean;
  /** Default: the next one. */
  readonly restoreId?: string;
  /** When the target's copy was taken, for what was erased since; everything by default. */
  readonly at?: string;
}

export interface Prepared {
  readonly restoreId: string;
  readonly preview: RestorePreview;
  merge(hash?: string, control?: MergeControl): Promise<MergeResult>;
  /** As the workflow does when the diff has changed. */
  previewAgain(): Promise<RestorePreview>;
  end(): Promise<void>;
}

/** All rows of a table as text, by their image, in a stable order: what "byte-identical" is compared by. */
export async function imagesOf(
  pool: Pool,
  query: string,
  values: readonly unknown[] = [],
): Promise<string[]> {
  const { rows } = await pool.query<{ image: string }>(
    `select (q.*)::text as image from (${query}) q order by (q.*)::text collate "C"`,
    [...values],
  );
  return rows.map((row) => row.image);
}
