import type { ChangedRow, ChangesPage } from '../../../core/recovery';
import { colors as pc } from '../colors';

/** A few changed rows, or why there are none to show. */
export type Samples =
  | { readonly kind: 'rows'; readonly pages: readonly ChangesPage[] }
  | { readonly kind: 'unreadable'; readonly reason: string };

const COLUMNS = 4;
const WIDTH = 32;

/** A few changed rows of each table, a line each: enough to see whether it is the right kind of change. */
export function samplesPage(samples: Samples): string[] {
  if (samples.kind === 'unreadable') return [pc.dim(`no rows to show: ${samples.reason}`)];
  if (samples.pages.length === 0) return [];
  return [
    pc.bold('For example'),
    ...samples.pages.flatMap((page) =>
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
