import type { ClientBase, Pool } from 'pg';
import type { ResolvedTarget, RestoreOutcome, RestorePhase, RestorePreview, RestoreReport } from './types';

/** A cluster restore merges nothing: it ends `restored`. */
export type JournalOutcome = RestoreOutcome | 'restored';

export interface JournalEntry {
  readonly id: string;
  readonly kind: 'restore' | 'undo' | 'cluster' | 'drill';
  readonly tenant: string | undefined;
  readonly workflowId: string;
  readonly phase: RestorePhase;
  readonly outcome: JournalOutcome | undefined;
  /** ISO 8601 by the control plane's clock. */
  readonly startedAt: string;
  readonly requestedBy: string;
}

export interface BeginEntry {
  readonly id: string;
  readonly kind: JournalEntry['kind'];
  readonly tenant: string | undefined;
  readonly workflowId: string;
  readonly requestedBy: string;
  readonly reason: string | undefined;
}

/**
 * The control plane's record of every restore: which phase it is in, what it found, how it ended. It follows the
 * workflow and decides nothing; what must hold is in the application database's own record.
 */
export class RestoreJournal {
  constructor(private readonly platform: Pool | ClientBase) {}

  /** Writes the first entry, or returns the one that is there already under this ID. */
  async begin(entry: BeginEntry): Promise<JournalEntry> {
    await this.platform.query(
      `insert into chronawflow.restore (id, kind, tenant, workflow_id, requested_by, reason, phase)
       values ($1, $2, $3, $4, $5, $6, 'starting')
       on conflict (id) do nothing`,
      [entry.id, entry.kind, entry.tenant ?? null, entry.workflowId, entry.requestedBy, entry.reason ?? null],
    );
    const [found] = await this.select('where id = $1', [entry.id]);
    if (found === undefined) throw new RangeError(`the journal lost its entry ${entry.id}`);
    return found;
  }

  async find(id: string): Promise<JournalEntry | undefined> {
    return (await this.select('where id = $1', [id]))[0];
  }

  async findByWorkflow(workflowId: string): Promise<JournalEntry | undefined> {
    return (await this.select('where workflow_id = $1', [workflowId]))[0];
  }

  /** The newest operation of the tenant that has not ended. */
  async running(tenant: string): Promise<JournalEntry | undefined> {
    const unfinished = 'where tenant = $1 and finished_at is null order by started_at desc limit 1';
    return (await this.select(unfinished, [tenant]))[0];
  }

  /** Operations on tenants that have not ended, the oldest first. */
  async unfinished(): Promise<readonly JournalEntry[]> {
    return this.select('where tenant is not null and finished_at is null order by started_at limit 1000');
  }

  /** The newest operations, first the newest. */
  async recent(limit: number): Promise<readonly JournalEntry[]> {
    return this.select('order by started_at desc limit $1', [limit]);
  }

  async enter(id: string, phase: RestorePhase): Promise<void> {
    await this.platform.query(
      'update chronawflow.restore set phase = $2 where id = $1 and finished_at is null',
      [id, phase],
    );
  }

  async target(id: string, target: ResolvedTarget): Promise<void> {
    await this.platform.query('update chronawflow.restore set target = $2 where id = $1', [
      id,
      JSON.stringify(target),
    ]);
  }

  /** The target as it was resolved, if it was. */
  async resolvedTarget(id: string): Promise<ResolvedTarget | undefined> {
    const { rows } = await this.platform.query<{ target: ResolvedTarget | null }>(
      'select target from chronawflow.restore where id = $1',
      [id],
    );
    return rows[0]?.target ?? undefined;
  }

  async preview(id: string, preview: RestorePreview): Promise<void> {
    await this.platform.query('update chronawflow.restore set preview = $2 where id = $1', [
      id,
      JSON.stringify(preview),
    ]);
  }

  async finish(id: string, outcome: JournalOutcome, report: object): Promise<void> {
    await this.platform.query(
      `update chronawflow.restore
          set phase = 'done', outcome = $2, report = $3, finished_at = coalesce(finished_at, clock_timestamp())
        where id = $1`,
      [id, outcome, JSON.stringify(report)],
    );
  }

  /** The stored report, of whatever kind the entry is. */
  async report(id: string): Promise<RestoreReport | undefined> {
    const { rows } = await this.platform.query<{ report: RestoreReport | null }>(
      'select report from chronawflow.restore where id = $1',
      [id],
    );
    return rows[0]?.report ?? undefined;
  }

  private async select(where: string, values: readonly unknown[] = []): Promise<JournalEntry[]> {
    const { rows } = await this.platform.query<{
      id: string;
      kind: JournalEntry['kind'];
      tenant: string | null;
      workflow_id: string;
      phase: RestorePhase;
      outcome: JournalOutcome | null;
      started_at: string;
      requested_by: string;
    }>(
      `select id, kind, tenant, workflow_id, phase, outcome, requested_by,
              to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as started_at
         from chronawflow.restore ${where}`,
      [...values],
    );
    return rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      tenant: row.tenant ?? undefined,
      workflowId: row.workflow_id,
      phase: row.phase,
      outcome: row.outcome ?? undefined,
      startedAt: row.started_at,
      requestedBy: row.requested_by,
    }));
  }
}
