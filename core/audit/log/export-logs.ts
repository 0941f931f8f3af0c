import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { hasCode, InvalidInputError, whenMissing } from '../../errors';
import { formatVerifierKey, type VerifierKey } from '../note';
import { ExportIncompleteError } from './export-incomplete-error';
import { exportLog } from './exported-log';
import { readLogs, StoredLog } from './stored-log';

export interface ExportOptions {
  /** Only this tenant's log, beside the platform's. */
  readonly tenant?: string;
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
}

/**
 * Writes the sealed logs, as of one moment, into an empty directory: `platform/`, `logs/<name>/` for each tenant's, the
 * public key in `log.pub`, and in `tenants.json` which log is whose, which is for the owner of the data alone.
 *
 * @throws InvalidInputError when the directory has something in it, or the tenant has no log; ExportIncompleteError
 */
export async function exportLogs(
  platform: Pool,
  keys: VerifierKey | readonly VerifierKey[],
  directory: string,
  { tenant, progress }: ExportOptions = {},
): Promise<ExportedLogs> {
  if ((await readdir(directory).catch(whenMissing([]))).length > 0) {
    throw new InvalidInputError(`${directory} is not empty.`, {
      hint: 'Name a directory that is, or a new one.',
    });
  }
  try {
    return await writeLogs(platform, keys, directory, { tenant, progress });
  } catch (error) {
    throw hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES')
      ? new ExportIncompleteError(directory, error)
      : error;
  }
}

function writeLogs(
  platform: Pool,
  keys: VerifierKey | readonly VerifierKey[],
  directory: string,
  { tenant, progress }: ExportOptions,
): Promise<ExportedLogs> {
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
      const tenants: Record<string, string | null> = {};
      let entries = 0;
      // The platform's comes last: an export that was cut short has no checkpoint that covers it.
      for (const log of wanted.toReversed()) {
        const name = log.origin.split('/').at(-1) ?? log.origin;
        const target = log.kind === 'platform' ? join(directory, 'platform') : join(directory, 'logs', name);
        await exportLog(new StoredLog(tx, log), target, (done) =>
          progress?.({ log: log.tenant ?? log.kind, done, total: log.size }),
        );
        if (log.kind === 'platform') continue;
        tenants[name] = log.tenant;
        entries += log.size;
      }
      await mkdir(directory, { recursive: true });
      await writeFile(
        join(directory, 'log.pub'),
        [keys]
          .flat()
          .map((key) => `${formatVerifierKey(key)}\n`)
          .join(''),
      );
      await writeFile(join(directory, 'tenants.json'), `${JSON.stringify(tenants, null, 2)}\n`);
      return { directory, logs: wanted.length, entries };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}
