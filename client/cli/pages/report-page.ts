import { shellWord } from '../../../core/recovery/shell-word.pure';
import type {
  ObjectiveCheck,
  RecoveryReach,
  RestoreOutcome,
  RestoreReport,
} from '../../../core/recovery/types';
import { colors as pc } from '../colors';
import { erasedLine } from './erased-line';
import { bytes, count, duration, facts, table } from './format';
import { phaseInWords } from './phases';
import { undoneLines } from './undone-page';

const HEADLINES: Readonly<Record<RestoreOutcome, string>> = {
  merged: 'merged and proved',
  'nothing-to-do': 'nothing to do: the rows are those of the target',
  rejected: 'rejected; nothing was changed',
  expired: 'not approved in time; nothing was changed',
  cancelled: 'cancelled; nothing was changed',
  failed: 'failed; nothing was changed',
  drilled: 'drilled: its rows at the target were restored, read and compared; nothing was changed',
};

/** How a restore or undo ended, for people. */
export function reportPage(report: RestoreReport): string[] {
  const good = ['merged', 'nothing-to-do', 'drilled'].includes(report.outcome);
  return [
    `${good ? pc.green('✓') : pc.red('✗')} ${pc.bold(`Restore ${report.restoreId} of tenant ${report.tenant}: ${HEADLINES[report.outcome]}`)}`,
    ...mergedRows(report),
    ...decidedConflicts(report),
    ...erasedLine(report.preview),
    ...undoneLines(
      report.merge?.undoneEffects,
      `Decide: chronawflow jobs undone list --restore ${report.restoreId}`,
    ),
    ...facts([
      ['workflow', report.workflowId],
      ['requested by', report.requestedBy],
      ['rows at target', rowsAtTarget(report)],
      ['approved by', report.approvedBy.length > 0 ? report.approvedBy.join(', ') : undefined],
      ['target', report.target?.at ?? report.target?.value],
      ['digest before', report.merge?.digestBefore ?? report.preview?.digestNow],
      ['digest at target', report.preview?.digestExpected],
      ['digest after', report.merge?.digestAfter],
      ['frozen', report.frozenMs === undefined ? undefined : duration(report.frozenMs)],
      [
        'time by step',
        report.steps.map((step) => `${phaseInWords(step.phase)} ${duration(step.ms)}`).join(', '),
      ],
      ['latest restorable', reachOf(report.reach)],
      ...objectiveFacts(report.objectives),
    ]),
    ...(report.cleanUp ?? []).map((left) => `${pc.red('!')} ${left}`),
    ...(report.outcome === 'merged'
      ? [`Undo: chronawflow recovery undo ${report.restoreId} --tenant ${shellWord(report.tenant)}`]
      : []),
  ];
}

/** Only for a drill: elsewhere the preview and the merge have told. */
function rowsAtTarget({ outcome, preview }: RestoreReport): string | undefined {
  if (outcome !== 'drilled' || preview === undefined) return undefined;
  const { insert, update, unchanged } = preview.totals;
  return `${count(insert + update + unchanged)} in ${preview.tables.length} tables, ${bytes(preview.bytesStaged)}`;
}

function mergedRows({ merge }: RestoreReport): string[] {
  if (merge === undefined) return [];
  const written = merge.rows.filter((row) => row.inserted + row.updated + row.deleted > 0);
  return table(
    ['table', 'inserted', 'updated', 'deleted'],
    written.map((row) => [row.table, count(row.inserted), count(row.updated), count(row.deleted)]),
  );
}

/** What a decision kept out of the merge, or had written with another value. */
function decidedConflicts({ merge, preview }: RestoreReport): string[] {
  if (merge === undefined) return [];
  const decided = preview?.conflicts.filter(({ decision }) => decision !== 'block') ?? [];
  return decided.map(({ decision, table: name, kind, rows, mapping }) => {
    const done = decision === 'map' ? `written with ${mapping}` : 'left as they were';
    return `${pc.yellow('!')} ${count(rows)} row(s) of ${name} ${done} (${kind})`;
  });
}

function reachOf(reach: RecoveryReach | undefined): string | undefined {
  if (reach === undefined) return undefined;
  const { latestRestorable, behindNowMs, aheadOfTargetMs } = reach;
  const target = aheadOfTargetMs === undefined ? '' : `${duration(aheadOfTargetMs)} after the target, `;
  return `${latestRestorable}, ${target}${duration(behindNowMs)} behind the database`;
}

function objectiveFacts(check: ObjectiveCheck | undefined): [string, string][] {
  if (check === undefined) return [];
  const met = (ok: boolean) => (ok ? pc.green('met') : pc.red('missed'));
  return [
    [
      `RTO (${check.tier})`,
      `${duration(check.rtoMs)} of ${duration(check.rtoObjectiveMs)}: ${met(check.rtoMet)}`,
    ],
    [
      `RPO (${check.tier})`,
      `${duration(check.rpoMs)} of ${duration(check.rpoObjectiveMs)}: ${met(check.rpoMet)}`,
    ],
  ];
}

/** Exit code of a drill: it fails as well when it took longer, or would have lost more, than the tenant was promised. */
export function exitCodeOfDrill({ outcome, objectives }: RestoreReport): number {
  const missed = objectives !== undefined && !(objectives.rpoMet && objectives.rtoMet);
  return missed ? 1 : exitCodeOf(outcome);
}

/** Exit code of a command that waited for the end: 3 when people or a time limit refused it. */
export function exitCodeOf(outcome: RestoreOutcome): number {
  switch (outcome) {
    case 'merged':
    case 'nothing-to-do':
    case 'drilled':
      return 0;
    case 'rejected':
    case 'expired':
      return 3;
    case 'cancelled':
    case 'failed':
      return 1;
  }
}
