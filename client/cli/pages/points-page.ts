import type { RecoveryPoints } from '../../recovery-reader';
import type { ScheduleState } from '../../recovery-schedules';
import { colors as pc } from '../colors';
import { facts, table } from './format';

/** Recovery points, and from when to when the cluster can be restored. */
export function pointsPage({ points, window }: RecoveryPoints): string[] {
  const unknown = 'nothing can be restored yet';
  return [
    ...(points.length === 0
      ? ['No recovery point has been recorded; `chronawflow recovery create` makes one.']
      : table(
          ['name', 'kind', 'at', 'LSN', 'backup', 'by'],
          points.map((p) => [p.name, p.kind, p.at, p.lsn, p.backupLabel ?? '', p.createdBy]),
          6,
        )),
    '',
    pc.bold('Restorable'),
    ...facts([
      ['from', window.earliest ?? unknown],
      [
        'to',
        window.latest === undefined ? unknown : latestOf(window.earliest, window.latest, window.latestExact),
      ],
      ['checked', window.checkedAt],
      ['backups', String(window.backups.length)],
    ]),
    ...window.gaps.map(
      (gap) =>
        `${pc.red('!')} not restorable: from ${gap.before ?? 'the start'} to ${gap.after ?? 'the next backup'} (WAL missing: ${gap.segments})`,
    ),
  ];
}

/** Right after the first backup nothing that came behind it is in the archive yet. */
function latestOf(earliest: string | undefined, latest: string, exact: boolean): string {
  if (earliest !== undefined && latest < earliest) return 'nothing is archived behind the backup yet';
  return `${latest}${exact ? '' : ' at most'}`;
}

export function schedulePage(schedules: readonly ScheduleState[]): string[] {
  if (schedules.length === 0) return ['There is no schedule; `chronawflow recovery schedule set` makes one.'];
  return table(
    ['schedule', 'makes', 'next run', 'state', 'runs', 'missed'],
    schedules.map((s) => [
      s.name,
      s.what,
      s.nextRuns[0] ?? 'none',
      s.paused ? 'paused' : 'active',
      String(s.runs),
      s.missed === 0 ? '0' : pc.red(String(s.missed)),
    ]),
    4,
  );
}
