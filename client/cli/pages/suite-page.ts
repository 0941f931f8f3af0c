import Table from 'cli-table3';
import type { SuiteRun } from '../../../core/chaos';
import { colors as pc } from '../colors';

export function suitePage({ entries, score, seed }: SuiteRun): string[] {
  const table = new Table({
    head: ['experiment', 'verdict', 's', ''],
    style: { compact: true, head: [], border: [] },
    wordWrap: true,
    colWidths: [44, 12, 8, 44],
  });
  for (const { title, verdict, durationMs, message } of entries)
    table.push([
      title,
      verdict === 'passed' ? pc.green(verdict) : verdict === 'refused' ? pc.dim(verdict) : pc.red(verdict),
      (durationMs / 1_000).toFixed(1),
      message ?? '',
    ]);
  const residual = entries.reduce((sum, entry) => sum + entry.residual, 0);
  return [
    ...table.toString().split('\n'),
    `Resilience score: ${score.score ?? 'none'} of 100, coverage ${(100 * score.coverage).toFixed(0)} %, residual faults ${residual}${seed === undefined ? '' : `, seed ${seed}`}`,
  ];
}
