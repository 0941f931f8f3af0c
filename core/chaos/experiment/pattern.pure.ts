/** A pattern as Python writes it, whose named groups are the one thing that JavaScript spells otherwise; undefined when it is none. */
export function patternOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern.replaceAll('(?P<', '(?<').replaceAll(/\(\?P=(\w+)\)/g, '\\k<$1>'), 'u');
  } catch {
    return undefined;
  }
}
