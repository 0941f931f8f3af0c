import type { UndoneSubject } from '../../../core/jobs';
import type { UndoneEffect } from '../../../core/recovery';
import type { UndoneCounts } from '../../../core/recovery/types';
import { colors as pc } from '../colors';
import { count, table } from './format';

/** Jobs and requests with undone effects, for the person who decides about them. */
export function undonePage(subjects: readonly UndoneSubject[]): string[] {
  if (subjects.length === 0) return ['There are no such effects.'];
  return table(
    ['tenant', 'type', 'key', 'completed', 'restore', 'undone', 'called outside'],
    subjects.map((subject) => [
      subject.tenant,
      subject.type,
      subject.key,
      subject.completedAt,
      subject.restores.join(', '),
      subject.kind === 'request' ? 'request' : stepsInWords(subject),
      subject.outside.length === 0 ? '' : pc.yellow(subject.outside.join(', ')),
    ]),
    7,
  );
}

function stepsInWords({ steps, ended }: UndoneSubject): string {
  const named = steps.length > 3 ? `${count(steps.length)} steps` : steps.join(', ');
  return [...(named === '' ? [] : [named]), ...(ended ? ['its end'] : [])].join(', ');
}

/** The line of a preview or a report. */
export function undoneLines(undone: UndoneCounts | undefined, how: string): string[] {
  if (undone === undefined || undone.jobs + undone.requests === 0) return [];
  return [
    `${pc.yellow('!')} effects undone: ${count(undone.jobs)} job(s) with ${count(undone.steps)} step(s), ` +
      `${count(undone.requests)} request(s). Their records stay; nothing is repeated by itself. ${how}`,
  ];
}

export function undoneRowsPage(rows: readonly UndoneEffect[]): string[] {
  if (rows.length === 0) return ['No effects of jobs or requests are undone.'];
  return table(
    ['what', 'type', 'key', 'step', 'completed', 'decided'],
    rows.map((row) => [row.kind, row.type, row.key, row.step, row.completedAt, row.state ?? '']),
    6,
  );
}
