import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { type LogFacts, proveInclusion, readLogs, StoredLog } from '../log';
import { parseNote } from '../note';
import { EventNotSealedError } from './event-not-sealed-error';
import type { Receipt } from './receipt';

/** The receipt of an event, against the newest checkpoints. @throws EventNotSealedError */
export async function proveEvent(platform: Pool, eventId: string): Promise<Receipt> {
  return inTransaction(
    platform,
    async (tx) => {
      const { rows } = await tx.query<{ log: number; index: string; entry: Buffer }>(
        'select log, index, entry from chronawflow.audit_entry where event_id = $1',
        [eventId],
      );
      const [sealed] = rows;
      const logs = await readLogs(tx);
      const [own, above] = [
        logs.find(({ id }) => id === sealed?.log),
        logs.find(({ kind }) => kind === 'platform'),
      ];
      if (sealed === undefined || own === undefined || above === undefined) {
        const dropped = logs.some(({ minimumIndex }) => minimumIndex > 0);
        throw new EventNotSealedError(eventId, await isStored(tx, eventId), dropped);
      }
      const log = new StoredLog(tx, own);
      const text = Buffer.from(parseNote(log.note).text);
      return {
        version: 1,
        entry: sealed.entry.toString(),
        log: await placeIn(tx, own, Number(sealed.index)),
        platform: await placeIn(tx, above, await indexOfCheckpoint(tx, above, text)),
      };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

async function placeIn(tx: ClientBase, facts: LogFacts, index: number): Promise<Receipt['log']> {
  const log = new StoredLog(tx, facts);
  return { index, checkpoint: log.note, proof: await proveInclusion(log, index) };
}

async function indexOfCheckpoint(tx: ClientBase, platform: LogFacts, text: Buffer): Promise<number> {
  const { rows } = await tx.query<{ index: string }>(
    'select index from chronawflow.audit_entry where log = $1 and sha256(entry) = sha256($2) and event_id is null',
    [platform.id, text],
  );
  return Number(rows[0]?.index ?? -1);
}

async function isStored(tx: ClientBase, eventId: string): Promise<boolean> {
  const { rows } = await tx.query<{ stored: boolean }>(
    'select exists (select from chronawflow.audit_event where id = $1) as stored',
    [eventId],
  );
  return rows[0]?.stored ?? false;
}

/** As it is written into a file. */
export function formatReceipt(receipt: Receipt): string {
  const place = ({ index, checkpoint, proof }: Receipt['log']) => ({
    index,
    checkpoint,
    proof: proof.map((hash) => hash.toString('base64')),
  });
  const { version, entry, log, platform } = receipt;
  return `${JSON.stringify({ version, entry, log: place(log), platform: place(platform) }, null, 2)}\n`;
}
