import Table from 'cli-table3';

/** A titled table; every column but the first is of numbers. */
export function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { compact: true, head: [], border: [] },
  });
  for (const row of rows) made.push([...row]);
  return `${title}\n${made.toString()}`;
}
