import pc from 'picocolors';
import type { ChangedRow, ChangesPage } from '../../../core/recovery';

const COLUMNS = 4;
const WIDTH = 32;

/** A few changed rows of each table, a line each: enough to see whether it is the right kind of change. */
export function samplesPage(samples: readonly ChangesPage[]): string[] {
  if (samples.length === 0) return [];
  return [
    pc.bold('For example'),
    ...samples.flatMap((page) =>
      page.rows.map((row) => `  ${row.op} ${page.table} ${keyOf(row)}: ${columnsOf(row)}`),
    ),
  ];
}

function keyOf(row: ChangedRow): string {
  return Object.entries(row.key)
    .map(([name, value]) => `${name}=${short(value)}`)
    .join(' ');
}

function columnsOf({ op, key, columns }: ChangedRow): string {
  const shown = columns.filter(({ name }) => !(name in key)).slice(0, COLUMNS);
  const rest = columns.filter(({ name }) => !(name in key)).length - shown.length;
  const texts = shown.map(({ name, current, restored }) => {
    if (op === 'update') return `${name} ${short(current)} → ${short(restored)}`;
    return `${name} ${short(op === 'insert' ? restored : current)}`;
  });
  return [...texts, ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}

function short(value: string | null): string {
  if (value === null) return 'null';
  const line = value.replaceAll(/\s+/g, ' ');
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line;
}
