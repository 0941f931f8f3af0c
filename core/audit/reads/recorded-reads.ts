import type { Pool } from 'pg';
import type { ExportedLogs, ExportOptions } from '../log';
import type { VerifierKey } from '../note';
import type { Receipt } from '../receipt';
import { AuditReader, type Reader } from './audit-reader';

/** `exportLogs` of the entry point `chronawflow/audit`: as log/export-logs.ts has it, and recorded. */
export function exportLogsRecorded(
  platform: Pool,
  keys: VerifierKey | readonly VerifierKey[],
  directory: string,
  { actor, record, ...options }: ExportOptions & Reader = {},
): Promise<ExportedLogs> {
  return new AuditReader(platform, { actor, record }).export(keys, directory, options);
}

/** `proveEvent` of the same: as receipt/prove-event.ts has it, and recorded. */
export function proveEventRecorded(platform: Pool, eventId: string, reader: Reader = {}): Promise<Receipt> {
  return new AuditReader(platform, reader).prove(eventId);
}
