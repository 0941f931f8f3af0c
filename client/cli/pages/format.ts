import CliTable from 'cli-table3';
import { colors as pc } from '../colors';

/** `950 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min` */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `812 B`, `14.2 kB`, `3.1 GB`; decimal units. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return power === 0 ? `${count} B` : `${(count / 1_000 ** power).toFixed(1)} ${units[power]}`;
}

/** Thousands apart, the same on every machine: `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Rows in columns; numbers (all but the first columns given) to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns = 1,
): string[] {
  const made = new CliTable({
    head: [...head],
    colAligns: head.map((_, i) => (i < textColumns ? 'left' : 'right')),
    style: {
      compact: true,
      head: pc.isColorSupported ? ['bold'] : [],
      border: pc.isColorSupported ? ['gray'] : [],
    },
  });
  for (const row of rows) made.push([...row]);
  return made.toString().split('\n');
}

/** Label and value, aligned. */
export function facts(entries: readonly (readonly [label: string, value: string | undefined])[]): string[] {
  const known = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  const width = Math.max(0, ...known.map(([label]) => label.length));
  return known.map(([label, value]) => `${pc.dim(label.padEnd(width))}  ${value}`);
}
