import type { ClientBase } from 'pg';
import { ADVISORY_LOCKS, quoteQualified } from '../../../database';
import { SchemaChangedError } from '../errors/schema-changed-error';
import type { SlicePlan } from '../slice/plan-types';

const UNDEFINED_TABLE = '42P01';

/**
 * Keeps DDL away from the slice until the end of the transaction (invariant 11): every ALTER, CREATE INDEX or CREATE
 * TRIGGER conflicts with this lock, other tenants' writes do not. The catalog is read after it; otherwise a constraint
 * that commits while the merge waits for its first table would be neither looked at nor proved.
 */
export async function lockSlice(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<void> {
  if (plan.tables.length === 0) return;
  if (await anyDeferrable(tx, plan))
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.mergesThatWait]);
  try {
    await tx.query(`lock table ${plan.tables.map(quoteQualified).join(', ')} in row exclusive mode`);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === UNDEFINED_TABLE)
      throw new SchemaChangedError(restoreId);
    throw cause;
  }
}

async function anyDeferrable(tx: ClientBase, plan: SlicePlan): Promise<boolean> {
  const { rows } = await tx.query<{ any: boolean }>(
    `select exists (select from pg_constraint where conrelid = any ($1::oid[]) and condeferrable and contype in ('u', 'p', 'x')) as any`,
    [plan.tables.map((table) => table.oid)],
  );
  return rows[0]?.any ?? false;
}
