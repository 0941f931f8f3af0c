import type { Pool, PoolClient } from 'pg';
import { quoteQualified } from '../../../database';
import { createGateFunction } from './gate-function.pure';
import { gateFunctionName } from './gate-names.pure';
import type { GateTable } from './types';

export interface LookupCost {
  /** Rows the figure is taken from; none in an empty table, which then has no figure. */
  readonly rows: number;
  /** What the gate adds to one inserted row of any tenant; an update checks up to twice as much. */
  readonly microsecondsPerRow?: number;
}

const SAMPLE_ROWS = 500;
const ROUNDS = 3;
/** The probe's freeze is never made; no other restore ID looks like this. */
const PROBE = { restoreId: 'lookupcostprobe', tenant: '', frozenAt: '1970-01-01T00:00:00.000000Z' };

/**
 * Measures the gate function of a path table as it will run: rows of the table are copied into a bare copy with and without
 * the trigger, in a transaction that is rolled back. The table itself is only read. Tables with a tenant column need no
 * such figure: their triggers' WHEN costs less than can be told from noise.
 *
 * The lookup must not match the sampled rows, since a match meets the (absent, so frozen) gate of the probe: pass one that
 * is built for a tenant which does not exist, such as the empty key, or the rows that match are left out.
 */
export async function measureLookupCost(pool: Pool, table: GateTable): Promise<LookupCost> {
  const { condition } = table;
  if (condition.kind === 'column') return { rows: 0 };
  const client = await pool.connect();
  try {
    await client.query('begin');
    const copy = 'chronawflow.lookup_cost_probe';
    // Not unlogged: that would be synchronised at once.
    await client.query(`create table ${copy} (like ${quoteQualified(table)})`);
    const { rowCount } = await client.query(
      `insert into ${copy} select new.* from ${quoteQualified(table)} new where (${condition.sql('new')}) is not true limit ${SAMPLE_ROWS}`,
    );
    const rows = rowCount ?? 0;
    if (rows === 0) return { rows };
    const fill = `insert into ${copy} select * from ${copy} limit ${rows}`;
    const without = await fastest(client, fill);
    await client.query(createGateFunction(PROBE, 0, condition));
    await client.query(
      `create trigger probe after insert on ${copy} for each row execute function chronawflow.${gateFunctionName(PROBE.restoreId, 0)}()`,
    );
    const withLookup = await fastest(client, fill);
    return { rows, microsecondsPerRow: (Math.max(0, withLookup - without) * 1000) / rows };
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** Milliseconds; the fastest round is the one that others on the machine disturbed least. */
async function fastest(client: PoolClient, statement: string): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await client.query(statement);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
