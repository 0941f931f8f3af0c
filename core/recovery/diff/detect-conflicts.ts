import type { ClientBase } from 'pg';
import { MappingRefusedError } from '../errors/mapping-refused-error';
import type { ForeignKey } from '../slice/catalog-types';
import { tableName } from '../slice/catalog-types';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable } from '../slice/plan-types';
import { type Reference, readReferences } from '../slice/read-references';
import type { Conflict, ConflictDecision, ConflictKind } from '../types';
import { changesName } from './compute-changes';
import { type ConflictInput, catalogTable, type Look } from './conflict-input';
import {
  type ConflictScope,
  changedSince,
  ownedByOther,
  parentMissing,
  referencedByStaying,
} from './conflict-queries.pure';
import { countAllChanges, countsOf } from './count-changes';
import { Findings } from './findings.pure';
import { mapConflicting } from './map-staging';
import { describeMapping, type MapDecision, mappingFor, mappingsOf, refusedBecause } from './mapping.pure';
import { otherOwnersAtTarget } from './other-owners';
import { valueConflicts } from './value-conflicts';
import { type ChangeCounts, writesAllStaged } from './written-rows.pure';

/**
 * Names every change that cannot be applied as it stands (invariants 9, 10, 12), marks those that a decision skips and
 * maps those that a decision maps; what is in conflict even as mapped falls to the other decision.
 * Looks at owners first: a row that stays with another owner can be the reason of nothing else.
 */
export async function detectConflicts(tx: ClientBase, input: ConflictInput): Promise<Conflict[]> {
  checkMappings(input);
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
  const noSkips = input.decisions.every(({ decision }) => decision !== 'skip');
  const allWritten = (table: PlanTable) => noSkips && writesAllStaged(table, countsOf(counts, table));
  const findings = new Findings();
  const look: Look = async (scope, kind, sql, message, columns = []) => {
    const table = tableName(scope.table);
    const map = mappingFor(input.decisions, table, kind, columns);
    if (map !== undefined) {
      const rows = await mapConflicting(tx, scope, sql, input.plan.tenant, map);
      if (rows > 0)
        findings.add({ table, kind, decision: 'map', mapping: describeMapping(map), rows, message });
    }
    const decision = decisionFor(input.decisions, table, kind);
    const rows = await countOrSkip(tx, scope.changes, sql, input.plan.tenant, decision);
    if (rows === 0) return;
    const still = map === undefined ? '' : ', even as mapped';
    findings.add({ table, kind, decision, rows, message: (count) => `${message(count)}${still}` });
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
  // A change that is skipped keeps what is there, and one that is mapped writes something else: either can be in the way
  // of another change, so until no more are skipped or mapped.
  do {
    findings.nextPass();
    for (const scope of having('insert', 'update')) await valueConflicts(scope, input, look);
    for (const scope of having('delete', 'update').reverse())
      await referenceConflicts(scope, scopes, references, look);
    for (const scope of having('insert', 'update'))
      await parentConflicts(scope, scopes, input, allWritten, look);
  } while (findings.settledInPass > 0);
  const drift = input.plan.drift.map((one) => ({
    ...one,
    rows: 0,
    decision: decisionFor(input.decisions, one.table, one.kind),
  }));
  return [...drift, ...findings.conflicts()];
}

function checkMappings(input: ConflictInput): void {
  const referable = new Set([...input.plan.tables.map(tableName), ...input.shared]);
  for (const map of input.decisions) {
    if (map.decision !== 'map') continue;
    const table = input.plan.tables.find((one) => tableName(one) === map.table);
    const reason =
      table === undefined
        ? 'the restore has no such table'
        : refusedBecause(map, {
            table,
            live: catalogTable(input.live, table),
            referable,
            sensitive: input.sensitive,
          });
    if (reason !== undefined) throw new MappingRefusedError({ ...map, conflict: map.kind }, reason);
  }
}

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
  { live, decisions }: ConflictInput,
  allWritten: (table: PlanTable) => boolean,
  look: Look,
): Promise<void> {
  const staged = new Set(scope.table.columns.map((column) => column.name));
  const keys: readonly ForeignKey[] = catalogTable(live, scope.table).foreignKeys;
  const mappings = mappingsOf(decisions, tableName(scope.table));
  for (const key of keys.filter((one) => one.columns.every((name) => staged.has(name)))) {
    const parent = scopes.find((one) => tableName(one.table) === tableName(key.parent));
    await look(
      scope,
      'parent-missing',
      parentMissing(
        scope,
        key,
        parent && { ...parent, allWritten: allWritten(parent.table) },
        mappings.some((map) => key.columns.includes(map.column)),
      ),
      (rows) =>
        `${rows} row(s) reference ${tableName(key.parent)} rows that are not there, or not the tenant's, any more (${key.name})`,
      key.columns,
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
  const other = decisions.find(
    (one): one is Exclude<ConflictDecision, MapDecision> =>
      one.decision !== 'map' && one.table === table && one.kind === kind,
  );
  return other?.decision ?? 'block';
}
