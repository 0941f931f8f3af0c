import { OrganisationGoneError } from './organisation-gone-error';

/** What a failed write means for whoever writes again and again. */
export type WriteFailure =
  /** The tenant is frozen by a restore (SQLSTATE TF001): back off and come back. */
  | 'frozen'
  /** The server went away or refuses connections: the next try opens a new connection. */
  | 'disconnected'
  /** Lost against another transaction or a time limit: try again. */
  | 'contended'
  /** The organisation, or a row that the write needs, is gone: somebody has to bring it back. */
  | 'gone'
  /** A mistake that no retry mends. */
  | 'fatal';

/** SQLSTATE with which the gate of a tenant restore refuses writes of the tenant that stands still. */
export const TENANT_FROZEN = 'TF001';

// serialization_failure, deadlock_detected, lock_not_available, query_canceled
const CONTENDED = new Set(['40001', '40P01', '55P03', '57014']);
// foreign_key_violation: the row that the write refers to was deleted meanwhile
const GONE = new Set(['23503']);
// admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, read_only_sql_transaction (failover), and
// what the operating system says when nothing listens
const DISCONNECTED = new Set([
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '25006',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
]);
// pg reports a connection that breaks under a query without any code.
const DISCONNECTED_MESSAGE = /connection terminated|not queryable|timeout exceeded when trying to connect/i;

export function classifyWriteFailure(error: unknown): WriteFailure {
  if (error instanceof OrganisationGoneError) return 'gone';
  const { code, message } = describe(error);
  if (code === undefined) return DISCONNECTED_MESSAGE.test(message) ? 'disconnected' : 'fatal';
  if (code === TENANT_FROZEN) return 'frozen';
  if (CONTENDED.has(code)) return 'contended';
  if (GONE.has(code)) return 'gone';
  // Class 08 is SQL's "connection exception".
  return DISCONNECTED.has(code) || code.startsWith('08') ? 'disconnected' : 'fatal';
}

/** By shape, not by class: a socket's errors may come from another realm than this module's `Error`. */
function describe(error: unknown): { readonly code: string | undefined; readonly message: string } {
  if (typeof error !== 'object' || error === null) return { code: undefined, message: '' };
  return {
    code: 'code' in error && typeof error.code === 'string' ? error.code : undefined,
    message: 'message' in error && typeof error.message === 'string' ? error.message : '',
  };
}
