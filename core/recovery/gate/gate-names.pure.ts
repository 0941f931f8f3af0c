import { createHash } from 'node:crypto';

/**
 * Names of a restore's gate objects. They carry the restore's ID, stay within PostgreSQL's 63 bytes, and two restores
 * never share one: an ID that is not short and plain is replaced by its digest, marked by an underscore that plain IDs
 * do not have.
 */
export function gateKey(restoreId: string): string {
  if (/^[a-z0-9]{1,32}$/.test(restoreId)) return restoreId;
  return `x_${createHash('sha256').update(restoreId).digest('hex').slice(0, 24)}`;
}

/** What the names of all gate functions begin with, of every restore. */
export const GATE_FUNCTION_PREFIX = 'gate_of_';

/** A table's gate function, in schema chronawflow; the OID stays when the table is renamed. */
export function gateFunctionName(restoreId: string, tableOid: number): string {
  return `${gateFunctionPrefix(restoreId)}${tableOid}`;
}

/** No other restore's functions begin with this. */
export function gateFunctionPrefix(restoreId: string): string {
  return `${GATE_FUNCTION_PREFIX}${gateKey(restoreId)}__`;
}

export type GateEvent = 'insert' | 'update' | 'delete' | 'truncate';

export function gateTriggerName(restoreId: string, event: GateEvent): string {
  return `chronawflow_gate_${gateKey(restoreId)}_${event}`;
}
