import type { ChangesPage } from '../../../core/recovery';
import { table } from './format';

/** Row images of one table, a page of them: what is there and what the merge would write. */
export function changesPage(page: ChangesPage, offset: number): string[] {
  if (page.rows.length === 0) return [`No changed rows of ${page.table} from row ${offset} on.`];
  const rows = page.rows.flatMap((row) => {
    const key = Object.entries(row.key)
      .map(([name, value]) => `${name}=${value ?? 'null'}`)
      .join(' ');
    const op = row.skipped ? `${row.op} (skipped)` : row.op;
    const name = (column: string) => (row.mapped.includes(column) ? `${column} (mapped)` : column);
    return row.columns.map((column, i) => [
      i === 0 ? op : '',
      i === 0 ? key : '',
      name(column.name),
      row.op === 'insert' ? '' : (column.current ?? 'null'),
      row.op === 'delete' ? '' : (column.restored ?? 'null'),
    ]);
  });
  return [
    ...table(['change', 'key', 'column', 'now', 'after'], rows, 5),
    ...(page.nextOffset === undefined ? [] : [`More: --offset ${page.nextOffset}`]),
  ];
}
