import type { ClientBase, Pool } from 'pg';
import { quoteIdentifier } from '../../../database';
import type { Catalog, CatalogTable, ForeignKey } from '../slice/catalog-types';
import { tableName } from '../slice/catalog-types';
import { planLookup } from '../slice/plan-lookup.pure';
import { unqualified } from '../slice/plan-slice.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { type Reference, readReferences } from '../slice/read-references';
import type { Conflict, ConflictDecision, ConflictKind } from '../types';
import { type ChangesKind, changesName } from './compute-changes';
import {
  type ConflictScope,
  changedSince,
  checkRefuses,
  excludedByOther,
  insertsWithoutValue,
  onColumn,
  ownedByOther,
  parentMissing,
  referencedByStaying,
  uniqueTaken,
} from './conflict-queries.pure';
import { countAllChanges, countsOf } from './count-changes';
import { Findings } from './findings.pure';
import { otherOwnersAtTarget } from './other-owners';
import { type ChangeCounts, writesAllStaged } from './written-rows.pure';

export interface ConflictInput {
  readonly restoreId: string;
  readonly plan: SlicePlan;
  readonly live: Catalog;
  /** Schema of the target, and the scratch cluster itself: absent for an undo. */
  readonly target: { readonly catalog: Catalog; readonly scratch: Pool } | undefined;
  readonly decisions: readonly ConflictDecision[];
  readonly kind: ChangesKind;
}

/**
 * Names every change that cannot be applied as it stands (invariants 9, 10, 12), and marks those that a decision skips.
 * Looks at owners first: a row that stays with another owner can be the reason of nothing else.
 */
export async function detectConflicts(tx: ClientBase, input: ConflictInput): Promise<Conflict[]> {
  const references = await readReferences(tx, input.plan.tables);
  const counts = await countAllChanges(tx, input.restoreId, input.plan, input.kind);
  const scopes = input.plan.tables.map((table) => ({
    restoreId: input.restoreId,
    table,
    changes: changesName(input.kind, input.restoreId, table),
    lookup: planLookup(input.plan),
    searchPath: input.plan.searchPath,
  }));
  // Most tables of most restores have no change, or none of a kind: nothing to look for there.
  const having = (...ops: readonly (keyof ChangeCounts)[]) =>
    scopes.filter(({ table }) => ops.some((op) => countsOf(counts, table)[op] > 0));
  // Only where no decision can take a row out again.
  const noSkips = input.decisions.every(({ decision }) => decision === 'block');
  const allWritten = (table: PlanTable) => noSkips && writesAllStaged(table, countsOf(counts, table));
  const findings = new Findings();
  const look: Look = async (scope, kind, sql, message) => {
    const decision = decisionFor(input.decisions, tableName(scope.table), kind);
    const rows = await countOrSkip(tx, scope.changes, sql, input.plan.tenant, decision);
    if (rows > 0) findings.add({ table: tableName(scope.table), kind, decision, rows, message });
  };
  const { undoOf } = input.plan;
  for (const scope of undoOf === undefined
    ? []
    : having('insert', 'update', 'delete').filter((one) => one.table.key.length > 0)) {
    await look(
      scope,
      'changed-since',
      changedSince(scope, undoOf ?? ''),
      (rows) => `${rows} row(s) were changed again after the restore wrote them`,
    );
  }
  for (const scope of having('insert', 'delete')) await ownerConflicts(tx, scope, input, look);
  // A change that is skipped keeps what is there, which can be in the way of another change: until no more are skipped.
  do {
    findings.nextPass();
    for (const scope of having('insert', 'update')) await valueConflicts(scope, input, look);
    for (const scope of having('delete', 'update').reverse())
      await referenceConflicts(scope, scopes, references, look);
    for (const scope of having('insert', 'update'))
      await parentConflicts(scope, scopes, input.live, allWritten, look);
  } while (findings.skippedInPass > 0);
  const drift = input.plan.drift.map((one) => ({
    ...one,
    rows: 0,
    decision: decisionFor(input.decisions, one.table, one.kind),
  }));
  return [...drift, ...findings.conflicts()];
}

type Look = (
  scope: ConflictScope,
  kind: ConflictKind,
  sql: string,
  message: (rows: number) => string,
) => Promise<void>;

async function ownerConflicts(
  tx: ClientBase,
  scope: ConflictScope,
  input: ConflictInput,
  look: Look,
): Promise<void> {
  if (scope.table.key.length === 0 || scope.table.attribution.kind === 'schema') return;
  await look(
    scope,
    'owner-changed',
    ownedByOther(scope),
    (rows) => `${rows} row(s) of the target have a key that belongs to somebody else now`,
  );
  if (input.target === undefined) return;
  const others = await otherOwnersAtTarget(tx, input.target.scratch, scope);
  if (others !== undefined) {
    await look(
      scope,
      'owner-changed',
      others,
      (rows) => `${rows} row(s) of the tenant belonged to somebody else at the target`,
    );
  }
}

async function valueConflicts(scope: ConflictScope, input: ConflictInput, look: Look): Promise<void> {
  const live = catalogTable(input.live, scope.table);
  const staged = new Set(scope.table.columns.map((column) => column.name));
  const readable = (columns: readonly string[]) => columns.every((name) => staged.has(name));
  for (const index of live.uniques.filter((one) => !one.primary && readable(one.dependsOn))) {
    await look(
      scope,
      'unique-taken',
      uniqueTaken(scope, index),
      (rows) => `${rows} row(s) need a value of ${index.name} that another row holds now`,
    );
  }
  for (const constraint of live.exclusions.filter((one) => readable(one.dependsOn))) {
    await look(
      scope,
      'unique-taken',
      excludedByOther(scope, constraint),
      (rows) => `${rows} row(s) overlap a row that stays (${constraint.name})`,
    );
  }
  const before = input.target?.catalog.tables.find((one) => tableName(one) === tableName(scope.table));
  if (before === undefined) return;
  for (const check of live.checks) {
    const same = before.checks.some((one) => one.expression === check.expression);
    const columns = live.columns
      .filter((column) => check.expression.includes(column.name))
      .map((column) => column.name);
    if (same || !readable(columns)) continue;
    await look(
      scope,
      'constraint-violated',
      checkRefuses(scope, check.expression),
      (rows) => `${rows} row(s) break ${check.name}, which is new or changed since the target`,
    );
  }
  for (const { name, expression } of refusals(live, before, input)) {
    await look(
      scope,
      'constraint-violated',
      checkRefuses(scope, expression),
      (rows) =>
        `${rows} row(s) have a value of ${name} that its NOT NULL or domain, new since the target, refuses`,
    );
  }
  const withoutValue = live.columns.filter(
    (column) => column.notNull && !column.hasDefault && !column.generated && !staged.has(column.name),
  );
  for (const column of withoutValue) {
    await look(
      scope,
      'constraint-violated',
      insertsWithoutValue(scope),
      (rows) =>
        `${rows} row(s) to insert have no value for ${column.name}, which is NOT NULL, without default and not staged`,
    );
  }
}

/** Conditions that columns of both sides have to meet today and had not at the target: NOT NULL and their domain's. */
function refusals(
  live: CatalogTable,
  before: CatalogTable,
  input: ConflictInput,
): { readonly name: string; readonly expression: string }[] {
  return live.columns.flatMap((column) => {
    const then = before.columns.find((one) => one.name === column.name);
    if (column.generated || then === undefined || then.type !== column.type) return [];
    const notNull = column.notNull && !then.notNull ? [`${quoteIdentifier(column.name)} is not null`] : [];
    const type = unqualified(column.type);
    const known = input.target?.catalog.domainChecks[type] ?? [];
    const added = (input.live.domainChecks[type] ?? []).filter((check) => !known.includes(check));
    const domain = added.map((check) => onColumn(check, column.name));
    return [...notNull, ...domain].map((expression) => ({ name: column.name, expression }));
  });
}

async function referenceConflicts(
  scope: ConflictScope,
  scopes: readonly ConflictScope[],
  references: readonly Reference[],
  look: Look,
): Promise<void> {
  for (const reference of references.filter((one) => one.parent === tableName(scope.table))) {
    const child = scopes.find((one) => tableName(one.table) === tableName(reference.child));
    await look(
      scope,
      'referenced',
      referencedByStaying(scope, reference, child),
      (rows) =>
        `${rows} row(s) to delete are referenced by rows of ${tableName(reference.child)} that stay (${reference.constraint})`,
    );
  }
}

async function parentConflicts(
  scope: ConflictScope,
  scopes: readonly ConflictScope[],
  live: Catalog,
  allWritten: (table: PlanTable) => boolean,
  look: Look,
): Promise<void> {
  const staged = new Set(scope.table.columns.map((column) => column.name));
  const keys: readonly ForeignKey[] = catalogTable(live, scope.table).foreignKeys;
  for (const key of keys.filter((one) => one.columns.every((name) => staged.has(name)))) {
    const parent = scopes.find((one) => tableName(one.table) === tableName(key.parent));
    await look(
      scope,
      'parent-missing',
      parentMissing(scope, key, parent && { ...parent, allWritten: allWritten(parent.table) }),
      (rows) =>
        `${rows} row(s) reference ${tableName(key.parent)} rows that are not there, or not the tenant's, any more (${key.name})`,
    );
  }
}

async function countOrSkip(
  tx: ClientBase,
  changes: string,
  conflicting: string,
  tenant: string,
  decision: 'block' | 'skip',
): Promise<number> {
  if (decision === 'skip') {
    const { rowCount } = await tx.query(
      `update ${changes} set chronawflow_skip = true where ctid in (${conflicting})`,
      [tenant],
    );
    return rowCount ?? 0;
  }
  const { rows } = await tx.query<{ count: string }>(`select count(*) from (${conflicting}) conflicting`, [
    tenant,
  ]);
  return Number(rows[0]?.count ?? 0);
}

function decisionFor(
  decisions: readonly ConflictDecision[],
  table: string,
  kind: ConflictKind,
): 'block' | 'skip' {
  return decisions.find((one) => one.table === table && one.kind === kind)?.decision ?? 'block';
}

function catalogTable(catalog: Catalog, table: PlanTable): CatalogTable {
  const found = catalog.tables.find((one) => tableName(one) === tableName(table));
  if (found === undefined) throw new RangeError(`${tableName(table)} is gone from the catalog`);
  return found;
}
