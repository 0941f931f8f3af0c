import { type EscalationRecord, LEVEL_NAMES, type Silence } from '../../../core/escalation';
import { colors as pc } from '../colors';
import { table } from './format';

export function escalationsPage(escalations: readonly EscalationRecord[]): string[] {
  if (escalations.length === 0) return ['Nobody is being told of anything.'];
  return [
    ...table(
      ['ID', 'severity', 'what', 'state', 'told', 'by', 'since'],
      escalations.map((one) => [
        one.id,
        one.severity,
        one.summary,
        one.state,
        one.pages.length === 0 ? 'nobody' : highest(one),
        one.by ?? '',
        one.openedAt,
      ]),
      7,
    ),
    ...escalations.flatMap(({ id, pages, runbook, endedAt }) => [
      ...pages
        .filter(({ state }) => state === 'failed')
        .map(
          ({ level, kind, note }) =>
            `${pc.yellow('!')} ${id}: level ${level} by ${kind}: ${note ?? 'failed'}`,
        ),
      ...(runbook === undefined || endedAt !== undefined ? [] : [`${id}: ${runbook}`]),
    ]),
  ];
}

export function silencesPage(silences: readonly Silence[]): string[] {
  if (silences.length === 0) return [];
  return table(
    ['silence', 'labels', 'from', 'until', 'by', 'why'],
    silences.map(({ id, labels, from, until, by, reason }) => [
      id,
      Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
      from,
      until,
      by,
      reason,
    ]),
    6,
  );
}

function highest({ pages }: EscalationRecord): string {
  const level = Math.max(...pages.map((page) => page.level));
  return `${level} (${LEVEL_NAMES[level] ?? 'level'})`;
}
