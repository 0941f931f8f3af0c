/**
 * The largest value of a metric's series that have all the labels, from a page in Prometheus' text format; undefined when there
 * is none. Source: Prometheus, "Exposition formats".
 */
export function largestValue(
  page: string,
  metric: string,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  let largest: number | undefined;
  for (const line of page.split('\n')) {
    const match = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (match?.[1] !== metric) continue;
    const has = labelsOf(match[2] ?? '');
    if (!Object.entries(labels).every(([name, value]) => has.get(name) === value)) continue;
    const value = valueFrom(match[3] ?? '');
    if (value !== undefined && (largest === undefined || value > largest)) largest = value;
  }
  return largest;
}

function labelsOf(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return new Map(
    [...found].map(([, name = '', value = '']) => [name, value.replaceAll(/\\(.)/g, unescaped)]),
  );
}

function unescaped(_: string, character: string): string {
  return character === 'n' ? '\n' : character;
}

function valueFrom(text: string): number | undefined {
  if (/^[+-]?Inf$/.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}
