import type { ClientBase, Pool } from 'pg';
import { RestoreNotFoundError } from '../errors/restore-not-found-error';
import type { SlicePlan } from '../slice/plan-types';
import type { MergeResult } from '../types';

export type RecordState = 'active' | 'merged' | 'cancelled' | 'failed' | 'rejected';

/** The restore's record in the application's database: it commits together with the tenant's rows. */
export interface RestoreRecord {
  readonly id: string;
  readonly kind: 'restore' | 'undo';
  readonly tenant: string;
  readonly workflowId: string;
  readonly undoOf: string | undefined;
  readonly state: RecordState;
  readonly plan: SlicePlan | undefined;
  readonly outcome: Extract<MergeResult, { kind: 'merged' }> | undefined;
  readonly closed: boolean;
  /** The last preview has a conflict that nobody decided. */
  readonly blocked: boolean;
}

interface Row {
  id: string;
  kind: 'restore' | 'undo';
  tenant: string;
  workflow_id: string;
  undo_of: string | null;
  state: RecordState;
  plan: SlicePlan | null;
  outcome: Extract<MergeResult, { kind: 'merged' }> | null;
  closed: boolean;
  blocked: boolean;
}

const SELECT = `select id, kind, tenant, workflow_id, undo_of, state, plan, outcome, closed_at is not null as closed, blocked from chronawflow.restore`;

export async function findRecord(
  db: Pool | ClientBase,
  restoreId: string,
): Promise<RestoreRecord | undefined> {
  const { rows } = await db.query<Row>(`${SELECT} where id = $1`, [restoreId]);
  return rows[0] && toRecord(rows[0]);
}

export async function loadRecord(db: Pool | ClientBase, restoreId: string): Promise<RestoreRecord> {
  const record = await findRecord(db, restoreId);
  if (record === undefined) throw new RestoreNotFoundError(restoreId);
  return record;
}

/** Locks the record: merge, cancel and close take this lock first, so that only one of them decides (invariant 14). */
export async function lockRecord(tx: ClientBase, restoreId: string): Promise<RestoreRecord> {
  const { rows } = await tx.query<Row>(`${SELECT} where id = $1 for update`, [restoreId]);
  if (rows[0] === undefined) throw new RestoreNotFoundError(restoreId);
  return toRecord(rows[0]);
}

export async function findActiveRecord(
  db: Pool | ClientBase,
  tenant: string,
): Promise<RestoreRecord | undefined> {
  const { rows } = await db.query<Row>(`${SELECT} where tenant = $1 and closed_at is null`, [tenant]);
  return rows[0] && toRecord(rows[0]);
}

export async function savePlan(db: Pool | ClientBase, restoreId: string, plan: SlicePlan): Promise<void> {
  await db.query('update chronawflow.restore set plan = $2, updated_at = clock_timestamp() where id = $1', [
    restoreId,
    JSON.stringify(plan),
  ]);
}

function toRecord(row: Row): RestoreRecord {
  return {
    id: row.id,
    kind: row.kind,
    tenant: row.tenant,
    workflowId: row.workflow_id,
    undoOf: row.undo_of ?? undefined,
    state: row.state,
    plan: row.plan ?? undefined,
    outcome: row.outcome ?? undefined,
    closed: row.closed,
    blocked: row.blocked,
  };
}
