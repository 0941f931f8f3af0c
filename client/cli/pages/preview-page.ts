import { shellWord } from '../../../core/recovery/shell-word.pure';
import type { Conflict, MappableKind, RestorePreview, TableChanges } from '../../../core/recovery/types';
import { colors as pc } from '../colors';
import { erasedLine } from './erased-line';
import { bytes, count, duration, facts, table } from './format';
import { undoneLines } from './undone-page';

/** What the merge would do, for the person who has to approve it. */
export function previewPage(preview: RestorePreview, workflowId: string): string[] {
  const { totals } = preview;
  return [
    pc.bold(`Preview of restore ${preview.restoreId}: tenant ${preview.tenant}`),
    ...table(
      ['table', 'insert', 'update', 'delete', 'unchanged'],
      [
        ...preview.tables
          .filter(changes)
          .map((t) => [t.table, ...[t.insert, t.update, t.delete, t.unchanged].map(count)]),
        ['all', ...[totals.insert, totals.update, totals.delete, totals.unchanged].map(count)],
      ],
    ),
    ...unchangedTables(preview),
    ...changedColumns(preview),
    ...conflictLines(preview, workflowId),
    ...erasedLine(preview),
    ...preview.notices.map((notice) => `${pc.yellow('!')} ${notice}`),
    ...undoneLines(
      preview.undoneEffects,
      `List: chronawflow recovery preview ${shellWord(workflowId)} --undone`,
    ),
    ...facts([
      ['staged', bytes(preview.bytesStaged)],
      ['merge takes about', duration(preview.estimatedMergeMs)],
      ['digest now', preview.digestNow],
      ['digest after', preview.digestExpected],
      ['diff', preview.diffHash],
    ]),
  ];
}

/** How to answer, with commands to copy. */
export function approvalLines(
  workflowId: string,
  approval: {
    readonly diffHash: string;
    readonly needed: number;
    readonly requestedBy: string;
    readonly deadline: number;
  },
  webUrl: string | undefined,
): string[] {
  const run = shellWord(workflowId);
  return [
    '',
    `Needs ${approval.needed === 1 ? 'one approval' : 'two approvals'} by someone other than ${approval.requestedBy}, until ${new Date(approval.deadline).toISOString()}.`,
    `  approve  ${pc.bold(`chronawflow recovery approve ${run} --hash ${approval.diffHash} --as <name>`)}`,
    `  reject   chronawflow recovery reject ${run} --as <name> --reason <why>`,
    `  rows     chronawflow recovery preview ${run} --table <schema.table>`,
    ...(webUrl === undefined ? [] : [`  Web UI   ${webUrl}`]),
  ];
}

function changes(t: TableChanges): boolean {
  return t.insert + t.update + t.delete > 0;
}

function unchangedTables({ tables }: RestorePreview): string[] {
  const same = tables.filter((t) => !changes(t)).map((t) => t.table);
  return same.length === 0 ? [] : [pc.dim(`without a change: ${same.join(', ')}`)];
}

function changedColumns({ tables }: RestorePreview): string[] {
  return tables.flatMap((t) => [
    ...(t.addedColumns.length > 0
      ? [`${pc.yellow('!')} ${t.table}: columns added since the target: ${t.addedColumns.join(', ')}`]
      : []),
    ...(t.droppedColumns.length > 0
      ? [`${pc.yellow('!')} ${t.table}: columns dropped since the target: ${t.droppedColumns.join(', ')}`]
      : []),
  ]);
}

const DECISIONS: Readonly<Record<Conflict['decision'], () => string>> = {
  block: () => pc.red('blocks'),
  skip: () => pc.yellow('skips'),
  map: () => pc.yellow('maps'),
};

const MAPPABLE: ReadonlySet<string> = new Set<MappableKind>([
  'unique-taken',
  'parent-missing',
  'constraint-violated',
]);

function waysOut({ decision, mapping, table: name, kind }: Conflict): string {
  if (decision === 'map') return `\n        written with ${mapping}`;
  if (decision === 'skip') return '';
  const decide = `--decide ${name}:${kind}=`;
  return (
    `\n        to leave these rows as they are: ${decide}skip` +
    (MAPPABLE.has(kind)
      ? `\n        to write them with another value: ${decide}map:<column>=suffix:<text> (or null, prefix:, value:)`
      : '')
  );
}

function conflictLines({ conflicts }: RestorePreview, workflowId: string): string[] {
  if (conflicts.length === 0) return [];
  return [
    pc.bold('Conflicts'),
    ...conflicts.map(
      (conflict) =>
        `${DECISIONS[conflict.decision]()}  ${conflict.table} ${conflict.kind}, ${count(conflict.rows)} rows: ${conflict.message}` +
        waysOut(conflict),
    ),
    ...(conflicts.some((conflict) => conflict.decision === 'block')
      ? [`${workflowId} cannot be approved; start again with a decision for each.`]
      : []),
  ];
}
