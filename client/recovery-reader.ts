import type { Pool } from 'pg';
import type { Config } from '../config';
import type { ReadAudit } from '../core/audit';
import {
  type ChangesPage,
  checkCompliance,
  pageChanges,
  pageUndone,
  recordBreaches,
  type UndoneEffect,
} from '../core/recovery';
import {
  listRecoveryPoints,
  type RecoveryPoint,
  type RestorableWindow,
  restorableWindow,
} from '../core/recovery/backup';
import type { RecoveryContext } from '../core/recovery/engine';
import type { ComplianceReport } from '../core/recovery/report';
import { currentOperator } from './operator';

export interface RecoveryPoints {
  /** Newest first. */
  readonly points: readonly RecoveryPoint[];
  readonly window: RestorableWindow;
}

export interface ChangesRequest {
  /** `schema.table` as the preview prints it. */
  readonly table: string;
  readonly offset?: number;
  /** At most 500. */
  readonly limit?: number;
}

/** What is read straight from the databases and the repository, without a workflow. */
export class RecoveryReader {
  private readonly ctx: RecoveryContext;

  constructor(
    config: Config,
    platform: Pool,
    application: Pool,
    private readonly reads: ReadAudit,
  ) {
    // Reading has nothing to log: what it finds is its result, what fails is thrown.
    const log = { info: () => undefined, warn: () => undefined };
    this.ctx = { config, platform, application, log };
  }

  async points(): Promise<RecoveryPoints> {
    const [points, window] = await Promise.all([listRecoveryPoints(this.ctx), restorableWindow(this.ctx)]);
    return { points, window };
  }

  /** That they were read is an event (`audit.reads.previews`). @throws ReadNotRecordedError */
  async changes(restoreId: string, page: ChangesRequest): Promise<ChangesPage> {
    const found = await pageChanges(this.ctx, { restoreId, ...page });
    await this.reads.record('previews', {
      actor: currentOperator(),
      action: 'row-images.read',
      tenant: found.tenant,
      object: restoreId,
      details: { table: found.table, rows: found.rows.length },
    });
    return found;
  }

  /** Jobs and requests whose effects the restore takes back, or took back, a page at a time. */
  undone(
    restoreId: string,
    page: { readonly offset?: number; readonly limit?: number },
  ): Promise<UndoneEffect[]> {
    return pageUndone(this.ctx, restoreId, page);
  }

  /** What is missed is also an event of the audit log. */
  async compliance(tenant?: string): Promise<ComplianceReport> {
    const report = await checkCompliance(this.ctx, tenant);
    await recordBreaches(this.ctx, report, { actor: currentOperator(), tenant });
    return report;
  }
}
