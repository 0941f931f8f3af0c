import type { ClientBase } from 'pg';

/** Of one tenant; the text keeps it apart from locks that hash something else. */
const KEY = `hashtextextended('chronawflow erasure ' || $1, 0)`;

/** A merge holds it to its commit: no row is erased meanwhile (core/erasure/README.md, invariant 1). */
export async function lockOutErasures(tx: ClientBase, tenant: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock_shared(${KEY})`, [tenant]);
}

/** Waits for the tenant's merge that is under way. */
export async function lockToErase(tx: ClientBase, tenant: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(${KEY})`, [tenant]);
}
