import type { ClientBase } from 'pg';
import { MappingRefusedError } from '../errors/mapping-refused-error';
import { relationExists } from '../record/relation-exists';
import type { Sessions } from '../sessions';
import { tableName } from '../slice/catalog-types';
import { ownerInKey } from '../slice/owner-in-key.pure';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable } from '../slice/plan-types';
import { readReferences } from '../slice/read-references';
import { beforeTable } from '../slice/restore-tables.pure';
import type { Conflict, ConflictDecision, ConflictKind } from '../types';
import { changesName } from './changes-name.pure';
import { decidesNothing } from './compute-changes';
import { type ConflictInput, catalogTable, type Question } from './conflict-input';
import { type ConflictScope, changedSince, ownedByOther } from './conflict-queries.pure';
import { Findings } from './findings.pure';
import { mapConflicting } from './map-staging';
import { describeMapping, type MapDecision, mappingFor, refusedBecause } from './mapping.pure';
import { otherOwnersAtTarget } from './other-owners';
import { parentConflicts, referenceConflicts } from './reference-conflicts';
import { valueConflicts } from './value-conflicts';
import { type AllCounts, type ChangeCounts, countsOf, writesAllStaged } from './written-rows.pure';

/**
 * Names every change that cannot be applied as it stands (invariants 9, 10, 12), marks those that a decision skips and
 * maps those that a decision maps; what is in conflict even as mapped falls to the other decision.
 * Looks at owners first: a row that stays with another owner can be the reason of nothing else. Where every conflict
 * blocks, no answer changes another one, and `sessions` share the questions.
 */
export async function detectConflicts(
  tx: ClientBase,
  sessions: Sessions,
  input: ConflictInput,
): Promise<Conflict[]> {
  checkMappings(input);
  const references = await readReferences(tx, input.plan.tables);
  const scopes = input.plan.tables.map((table) => ({
    restoreId: input.restoreId,
    table,
    changes: changesName(input.kind, input.restoreId, table),
    lookup: planLookup(input.plan),
    searchPath: input.plan.searchPath,
  }));
  // Most tables of most restores have no change, or none of a kind: nothing to look for there.
  const having = (...ops: readonly (keyof ChangeCounts)[]) =>
    scopes.filter(({ table }) => ops.some((op) => countsOf(input.counts, table)[op] > 0));
  // Only where no decision can take a row out again.
  const noSkips = input.decisions.every(({ decision }) => decision !== 'skip');
  const allWritten = (table: PlanTable) => noSkips && writesAllStaged(table, countsOf(input.counts, table));
  const findings = new Findings();
  const answer = async (questions: readonly Question[]) => {
    if (decidesNothing(input.decisions)) await countAll(sessions, questions, input, findings);
    else for (const question of questions) await decide(tx, question, input, findings);
  };

  const { undoOf } = input.plan;
  const keyed = (scope: ConflictScope) => scope.table.key.length > 0;
  if (undoOf !== undefined) {
    const written = having('insert', 'update', 'delete').filter(keyed);
    const questions: Question[] = [];
    for (const scope of written)
      questions.push(changedAgain(scope, undoOf, await relationExists(tx, beforeTable(undoOf, scope.table))));
    await answer(questions);
  }
  const ownable = having('insert', 'delete').filter(
    (scope) => keyed(scope) && scope.table.attribution.kind !== 'schema' && !ownerInKey(scope.table),
  );
  await answer(ownable.map(ownedElsewhere));
  for (const scope of ownable) {
    // What it finds on scratch is known to this session only.
    const question = await ownedElsewhereThen(tx, scope, input);
    if (question !== undefined) await decide(tx, question, input, findings);
  }
  // A change that is skipped keeps what is there, and one that is mapped writes something else: either can be in the way
  // of another change, so until no more are skipped or mapped.
  do {
    findings.nextPass();
    await answer([
      ...having('insert', 'update').flatMap((scope) => valueConflicts(scope, input)),
      ...having('delete', 'update')
        .reverse()
        .flatMap((scope) => referenceConflicts(scope, scopes, references)),
      ...having('insert', 'update').flatMap((scope) => parentConflicts(scope, scopes, input, allWritten)),
    ]);
  } while (findings.settledInPass > 0);
  const drift = input.plan.drift.map((one) => ({
    ...one,
    rows: 0,
    decision: decisionFor(input.decisions, one.table, one.kind),
  }));
  return [...drift, ...findings.conflicts()];
}

/** Does with the changes in question what was decided about them. */
async function decide(
  tx: ClientBase,
  { scope, kind, sql, message, columns = [] }: Question,
  { decisions, plan }: ConflictInput,
  findings: Findings,
): Promise<void> {
  const table = tableName(scope.table);
  const map = mappingFor(decisions, table, kind, columns);
  if (map !== undefined) {
    const rows = await mapConflicting(tx, scope, sql, plan.tenant, map);
    if (rows > 0)
      findings.add({ table, kind, decision: 'map', mapping: describeMapping(map), rows, message });
  }
  const decision = decisionFor(decisions, table, kind);
  const rows = await (decision === 'skip'
    ? skipConflicting(tx, scope.changes, sql, plan.tenant)
    : countConflicting(tx, sql, plan.tenant));
  if (rows === 0) return;
  const still = map === undefined ? '' : ', even as mapped';
  findings.add({ table, kind, decision, rows, message: (count) => `${message(count)}${still}` });
}

async function countAll(
  sessions: Sessions,
  questions: readonly Question[],
  { plan, counts }: ConflictInput,
  findings: Findings,
): Promise<void> {
  // What takes longest is begun first, so that no session is left with it at the end.
  const longestFirst = questions.toSorted((a, b) => changesOf(b, counts) - changesOf(a, counts));
  const found = await sessions.each(longestFirst, (tx, { sql }) => countConflicting(tx, sql, plan.tenant));
  const rowsOf = new Map(longestFirst.map((question, i) => [question, found[i] ?? 0]));
  questions.forEach((question) => {
    const { scope, kind, message } = question;
    const rows = rowsOf.get(question) ?? 0;
    if (rows > 0) findings.add({ table: tableName(scope.table), kind, decision: 'block', rows, message });
  });
}

function changesOf({ scope }: Question, counts: AllCounts): number {
  const { insert, update, delete: gone } = countsOf(counts, scope.table);
  return insert + update + gone;
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

function changedAgain(scope: ConflictScope, undoOf: string, hasPreimages: boolean): Question {
  return {
    scope,
    kind: 'changed-since',
    sql: changedSince(scope, undoOf, hasPreimages),
    message: (rows) => `${rows} row(s) were changed again after the restore wrote them`,
  };
}

function ownedElsewhere(scope: ConflictScope): Question {
  return {
    scope,
    kind: 'owner-changed',
    sql: ownedByOther(scope),
    message: (rows) => `${rows} row(s) of the target have a key that belongs to somebody else now`,
  };
}

async function ownedElsewhereThen(
  tx: ClientBase,
  scope: ConflictScope,
  { target, counts }: ConflictInput,
): Promise<Question | undefined> {
  if (target === undefined || countsOf(counts, scope.table).delete === 0) return undefined;
  const sql = await otherOwnersAtTarget(tx, target.scratch, scope);
  if (sql === undefined) return undefined;
  return {
    scope,
    kind: 'owner-changed',
    sql,
    message: (rows) => `${rows} row(s) of the tenant belonged to somebody else at the target`,
  };
}

async function skipConflicting(
  tx: ClientBase,
  changes: string,
  conflicting: string,
  tenant: string,
): Promise<number> {
  const { rowCount } = await tx.query(
    `update ${changes} set chronawflow_skip = true where ctid in (${conflicting})`,
    [tenant],
  );
  return rowCount ?? 0;
}

async function countConflicting(tx: ClientBase, conflicting: string, tenant: string): Promise<number> {
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
