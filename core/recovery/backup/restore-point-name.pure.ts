/** PostgreSQL's limit for the name of a restore point, without the closing NUL (MAXFNAMELEN). */
const LIMIT = 63;

/**
 * The name under which a recovery point stands in the WAL. A try that was interrupted may have left one there, and
 * recovery stops at the first of a name: so each try has its own, from the random token that is recorded with the point.
 */
export function restorePointName(name: string, token: string): string {
  const suffix = `#${token.slice(0, 8)}`;
  let text = name;
  while (Buffer.byteLength(text + suffix) > LIMIT) text = [...text].slice(0, -1).join('');
  return text + suffix;
}
