export type Values = Readonly<Record<string, unknown>>;

/**
 * Replaces `$name` and `${name}` in every string of a value, as Python's `string.Template.safe_substitute`: what is not known
 * stays, and `$$` is a dollar. A string that is nothing but one reference becomes the value itself, with its type.
 */
export function substitute(value: unknown, values: Values): unknown {
  if (typeof value === 'string') return substituteText(value, values);
  if (Array.isArray(value)) return value.map((item) => substitute(item, values));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, values)]));
  return value;
}

const REFERENCE = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})/g;

function substituteText(text: string, values: Values): unknown {
  const whole = /^\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))$/.exec(text);
  const only = whole?.[1] ?? whole?.[2];
  if (only !== undefined && Object.hasOwn(values, only)) return values[only];
  return text.replaceAll(REFERENCE, (match, dollar: string | undefined, bare?: string, braced?: string) => {
    if (dollar !== undefined) return '$';
    const name = bare ?? braced ?? '';
    return Object.hasOwn(values, name) ? asText(values[name]) : match;
  });
}

function asText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
