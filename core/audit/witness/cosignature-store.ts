import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { type LogReader, readLogs, StoredLog } from '../log';
import { formatSignatureLine, type NoteSignature } from '../note';

/** Runs `work` on the platform's log as it stands; undefined when there is none, or this witness has cosigned it already. */
export async function withUnwitnessedLog<T>(
  pool: Pool,
  witness: string,
  work: (log: LogReader) => Promise<T>,
): Promise<T | undefined> {
  return inTransaction(
    pool,
    async (tx) => {
      const facts = (await readLogs(tx)).find(({ kind }) => kind === 'platform');
      if (facts === undefined || (await isCosigned(tx, facts.id, facts.size, witness))) return undefined;
      return work(new StoredLog(tx, facts));
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

/** Keeps a cosignature of the platform log's checkpoint of this size. */
export async function saveCosignature(pool: Pool, size: number, signature: NoteSignature): Promise<void> {
  await pool.query(
    `insert into chronawflow.audit_cosignature (log, size, name, line)
     select id, $1, $2, $3 from chronawflow.audit_log where kind = 'platform'
     on conflict (log, size, name) do nothing`,
    [size, signature.name, formatSignatureLine(signature)],
  );
}

async function isCosigned(tx: ClientBase, log: number, size: number, witness: string): Promise<boolean> {
  const { rows } = await tx.query<{ there: boolean }>(
    'select exists (select from chronawflow.audit_cosignature where log = $1 and size = $2 and name = $3) as there',
    [log, size, witness],
  );
  return rows[0]?.there ?? false;
}
