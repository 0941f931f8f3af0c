import type { ClientBase, Pool } from 'pg';
import type { TenancyConfig } from '../../../config';
import { inTransaction, quoteLiteral, quoteQualified } from '../../../database';
import {
  type ErasedRows,
  type ErasureRule,
  ErasureRuleError,
  type ErasuresOfTenant,
  eraseRowsSql,
} from '../../erasure';
import { relationExists } from '../record/relation-exists';
import { tableName } from '../slice/catalog-types';
import { planLive } from '../slice/plan-live';
import { planLookup } from '../slice/plan-lookup.pure';
import type { SlicePlan } from '../slice/plan-types';
import { ownedBy } from '../slice/predicate.pure';
import { beforeTable } from '../slice/restore-tables.pure';
import { lockToErase } from './erasure-lock';

/** What an erasure has to know of the configuration. */
export interface ErasureScope {
  readonly tenancy: TenancyConfig;
  readonly rules: Readonly<Record<string, ErasureRule>>;
}

/**
 * Erases people's rows of one tenant, in every table that a rule names, and in the pre-images that merges kept of them; one
 * transaction.
 *
 * @returns the rows by table, and when it had committed, by this database's clock
 * @throws ErasureRuleError
 */
export async function eraseRows(
  application: Pool,
  scope: ErasureScope,
  found: ErasuresOfTenant,
): Promise<{ readonly at: string; readonly rows: readonly ErasedRows[] }> {
  const rows = await inTransaction(application, async (tx) => {
    await lockToErase(tx, found.tenant);
    await tx.query('set local row_security = off');
    const live = await eraseLive(tx, scope, found);
    const kept = await erasePreimages(tx, scope, found);
    return [...live, ...kept];
  });
  const clock = await application.query<{ at: string }>(
    `select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  );
  return { at: clock.rows[0]?.at ?? '', rows };
}

async function eraseLive(
  tx: ClientBase,
  { tenancy, rules }: ErasureScope,
  found: ErasuresOfTenant,
): Promise<ErasedRows[]> {
  const plan = await planLive(tx, tenancy, found.tenant);
  const lookup = planLookup(plan);
  const tenant = `${quoteLiteral(found.tenant)}::text`;
  const erased: ErasedRows[] = [];
  for (const name of Object.keys(rules)) {
    if (!plan.tables.some((table) => tableName(table) === name))
      throw new ErasureRuleError(name, 'it is in no tenant’s slice');
  }
  // Children before the parents through which they are known to be the tenant's.
  for (const table of plan.tables.toSorted((a, b) => b.depth - a.depth)) {
    const rule = rules[tableName(table)];
    if (rule === undefined) continue;
    const { sql, values } = eraseRowsSql(
      rule,
      {
        name: tableName(table),
        relation: quoteQualified(table),
        columns: table.liveColumns,
        owned: ownedBy(table, 't', tenant, lookup),
      },
      found,
    );
    const { rowCount } = await tx.query(sql, [...values]);
    erased.push({ table: tableName(table), rows: rowCount ?? 0 });
  }
  return erased;
}

/** The rows that merges of this tenant overwrote: an undo would bring them back. */
async function erasePreimages(
  tx: ClientBase,
  { rules }: ErasureScope,
  found: ErasuresOfTenant,
): Promise<ErasedRows[]> {
  const { rows } = await tx.query<{ id: string; plan: SlicePlan }>(
    `select id, plan from chronawflow.restore where tenant = $1 and state = 'merged' and plan is not null`,
    [found.tenant],
  );
  const erased: ErasedRows[] = [];
  for (const { id, plan } of rows) {
    for (const table of plan.tables) {
      const rule = rules[tableName(table)];
      const relation = beforeTable(id, table);
      if (rule === undefined || !(await relationExists(tx, relation))) continue;
      const of = { name: tableName(table), relation, columns: table.liveColumns };
      const { sql, values } = eraseRowsSql(rule, of, found);
      const { rowCount } = await tx.query(sql, [...values]);
      erased.push({ table: `${tableName(table)} (pre-images of ${id})`, rows: rowCount ?? 0 });
    }
  }
  return erased;
}
