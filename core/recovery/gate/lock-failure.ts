/**
 * SQLSTATEs that say "not now" of a bounded try: lock_not_available, query_canceled (statement_timeout, which bounds
 * waiting and working together), deadlock_detected. Source: PostgreSQL 15 documentation, appendix A.
 */
const NOT_NOW = new Set(['55P03', '57014', '40P01']);

export function isLockFailure(error: unknown): boolean {
  return NOT_NOW.has(sqlState(error) ?? '');
}

/** The SQLSTATE of a server's error. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}
