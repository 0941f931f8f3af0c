import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { verifyConsistency } from '../merkle';
import { parseCheckpoint, parseNote } from '../note';
import { ExportConflictError } from './export-conflict-error';
import { ExportedLog } from './exported-log';
import type { LogReader } from './log-reader';
import { proveConsistency } from './prove';

/**
 * What is added to a place has to hold all that is there, as a witness would ask: a log that was set back or written anew would
 * otherwise stand beside the one before, where their tiles have other names.
 *
 * @throws ExportConflictError, and what ExportedLog.open throws
 */
export async function refuseOtherLog(platform: LogReader, directory: string): Promise<void> {
  const path = join(directory, 'platform', 'checkpoint');
  if (!existsSync(path)) return;
  const from = parseCheckpoint(parseNote((await ExportedLog.open(join(directory, 'platform'))).note).text);
  const to = parseCheckpoint(parseNote(platform.note).text);
  if (from.origin !== to.origin) throw new ExportConflictError(path, `is of the log ${from.origin}`);
  if (from.size > to.size)
    throw new ExportConflictError(path, `signs ${from.size} entries, and the log has ${to.size}`);
  const proof = await proveConsistency(platform, from.size);
  if (!verifyConsistency({ from, to, proof }))
    throw new ExportConflictError(path, `signs ${from.size} entries that are not the log's first ones`);
}
