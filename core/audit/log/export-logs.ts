import { join } from 'node:path';
import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { hasCode, InvalidInputError } from '../../errors';
import { formatVerifierKey, type VerifierKey } from '../note';
import { ExportIncompleteError } from './export-incomplete-error';
import { EmptyDirectory, type ExportTarget } from './export-target';
import { exportLog } from './exported-log';
import { refuseOtherLog } from './refuse-other-log';
import { readLogs, StoredLog } from './stored-log';
import { WriteOnceDirectory } from './write-once-directory';

export interface ExportOptions {
  /** Only this tenant's log, beside the platform's. */
  readonly tenant?: string;
  /** The export is added to what is in the directory, and nothing there is written over. */
  readonly writeOnce?: boolean;
  /** With `writeOnce`: what was added is made immutable, where the file system and the account can. */
  readonly immutable?: boolean;
  readonly progress?: (state: {
    readonly log: string;
    readonly done: number;
    readonly total: number;
  }) => void;
}

export interface ExportedLogs {
  readonly directory: string;
  readonly logs: number;
  readonly entries: number;
  /** Of a write-once directory: how many files were added. */
  readonly added?: number;
  /** Why what was added is read-only and not immutable, where that was asked for. */
  readonly notImmutable?: string;
}

/**
 * Writes the sealed logs, as of one moment, into a directory: `platform/`, `logs/<name>/` for each tenant's, the public key in
 * `log.pub`, and in `tenants.json` which log is whose, which is for the owner of the data alone. A write-once directory has one of
 * `checkpoint`, `log.pub` and `tenants.json` for each export.
 *
 * @throws InvalidInputError when the directory has something in it, or the tenant has no log; ExportIncompleteError;
 *   ExportConflictError
 */
export async function exportLogs(
  platform: Pool,
  keys: VerifierKey | readonly VerifierKey[],
  directory: string,
  options: ExportOptions = {},
): Promise<ExportedLogs> {
  try {
    if (options.writeOnce !== true)
      return await writeLogs(platform, keys, directory, new EmptyDirectory(directory), options);
    const place = new WriteOnceDirectory(directory);
    try {
      const written = await writeLogs(platform, keys, directory, place, options);
      const notImmutable = options.immutable === true ? await place.makeImmutable() : undefined;
      return { ...written, added: place.files, ...(notImmutable === undefined ? {} : { notImmutable }) };
    } finally {
      await place.close();
    }
  } catch (error) {
    throw hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM')
      ? new ExportIncompleteError(directory, error)
      : error;
  }
}

async function writeLogs(
  platform: Pool,
  keys: VerifierKey | readonly VerifierKey[],
  directory: string,
  target: ExportTarget,
  { tenant, writeOnce, progress }: ExportOptions,
): Promise<ExportedLogs> {
  await target.open();
  return inTransaction(
    platform,
    async (tx) => {
      const all = await readLogs(tx);
      const wanted = all.filter(
        (log) => log.kind === 'platform' || tenant === undefined || log.tenant === tenant,
      );
      if (tenant !== undefined && wanted.length < 2) {
        throw new InvalidInputError(`No event of tenant ${tenant} is sealed.`, { hint: 'Check its key.' });
      }
      const top = all.find(({ kind }) => kind === 'platform');
      const at = top?.size ?? 0;
      if (writeOnce === true && top !== undefined) await refuseOtherLog(new StoredLog(tx, top), directory);
      const tenants: Record<string, string | null> = {};
      let entries = 0;
      // The platform's comes last: an export that was cut short has no checkpoint that covers it.
      for (const log of wanted.toReversed()) {
        const name = log.origin.split('/').at(-1) ?? log.origin;
        const below = log.kind === 'platform' ? 'platform' : join('logs', name);
        await exportLog(new StoredLog(tx, log), target, { below, at }, (done) =>
          progress?.({ log: log.tenant ?? log.kind, done, total: log.size }),
        );
        if (log.kind === 'platform') continue;
        tenants[name] = log.tenant;
        entries += log.size;
      }
      const publicKeys = [keys].flat().map((key) => `${formatVerifierKey(key)}\n`);
      await target.putOf(at, 'log.pub', publicKeys.join(''));
      await target.putOf(at, 'tenants.json', `${JSON.stringify(tenants, null, 2)}\n`);
      return { directory, logs: wanted.length, entries };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}
