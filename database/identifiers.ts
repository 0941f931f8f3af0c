/**
 * The one place where names become SQL. Identifiers are always quoted, so camelCase, reserved words and quotes in
 * names need no special case; values never pass through here, they are parameters.
 */

/** `weird"Name` → `"weird""Name"`. Source: PostgreSQL 15 documentation, 4.1.1 Identifiers and Key Words. */
export function quoteIdentifier(name: string): string {
  if (name.length === 0) throw new RangeError('an SQL identifier cannot be empty');
  if (name.includes('\0')) throw new RangeError('an SQL identifier cannot contain a NUL character');
  return `"${name.replaceAll('"', '""')}"`;
}

export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

/** `"schema"."name"` */
export function quoteQualified(name: QualifiedName): string {
  return `${quoteIdentifier(name.schema)}.${quoteIdentifier(name.name)}`;
}

/** `"a", "b"`, each preceded by `prefix` (an alias with its dot, such as `t.`). */
export function quoteList(names: readonly string[], prefix = ''): string {
  return names.map((name) => prefix + quoteIdentifier(name)).join(', ');
}

/**
 * A string literal for the few statements that take no parameters (DDL such as CREATE TRIGGER … WHEN).
 * The E'' form is used when a backslash is present, so the result does not depend on standard_conforming_strings.
 */
export function quoteLiteral(value: string): string {
  if (value.includes('\0')) throw new RangeError('an SQL literal cannot contain a NUL character');
  const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return value.includes('\\') ? ` E${quoted}` : quoted;
}
