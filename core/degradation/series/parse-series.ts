import { InvalidInputError } from '../../errors';
import type { SeriesPoint } from './simulate.pure';

const COLUMNS = ['time', 'signal', 'instance', 'value'] as const;
const HINT = `The first line is ${COLUMNS.join(',')}; times are ISO 8601 or seconds, with the oldest first.`;

/**
 * A recorded series from CSV: `time,signal,instance,value`, one sample a line, without quotes: neither signals nor instances
 * have commas.
 *
 * @throws InvalidInputError naming the line
 */
export function parseSeries(text: string, file: string): SeriesPoint[] {
  const lines = text.split(/\r?\n/);
  const fail = (line: number, problem: string): never => {
    throw new InvalidInputError(`${file}, line ${line + 1}: ${problem}`, { hint: HINT });
  };
  if (lines[0]?.replace(/^\uFEFF/, '').trim() !== COLUMNS.join(',')) fail(0, 'these are not the columns');
  const points: SeriesPoint[] = [];
  for (let line = 1; line < lines.length; line += 1) {
    const row = lines[line] ?? '';
    if (row.trim() === '') continue;
    const cells = row.split(',').map((cell) => cell.trim());
    if (cells.length !== COLUMNS.length) fail(line, `${cells.length} values instead of ${COLUMNS.length}`);
    const [time = '', signal = '', instance = '', number = ''] = cells;
    const at = /^\d+(\.\d+)?$/.test(time) ? Math.round(Number(time) * 1_000) : Date.parse(time);
    const value = number === '' ? Number.NaN : Number(number);
    if (!Number.isFinite(at)) fail(line, `'${time}' is no time`);
    if (!Number.isFinite(value)) fail(line, `'${number}' is no number`);
    if (signal === '') fail(line, 'the signal has no name');
    if (at < (points.at(-1)?.at ?? Number.NEGATIVE_INFINITY)) fail(line, 'is older than the line before');
    points.push({ at, signal, instance, value });
  }
  if (points.length === 0) fail(lines.length - 1, 'there are no samples');
  return points;
}
