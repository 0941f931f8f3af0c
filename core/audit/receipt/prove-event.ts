import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { LogDamagedError, type LogFacts, proveInclusion, readLogs, StoredLog } from '../log';
import { TILE_WIDTH, tileIn } from '../merkle';
import { EventNotSealedError } from './event-not-sealed-error';
import type { Receipt } from './receipt';

/** The receipt of an event, against the newest checkpoints. @throws EventNotSealedError */
export async function proveEvent(platform: Pool, eventId: string): Promise<Receipt> {
  return inTransaction(
    platform,
    async (tx) => {
      const sealed = await placeOf(tx, eventId);
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
      const index = Math.floor(sealed.index / TILE_WIDTH);
      const { entries } = await log.bundle(index, tileIn(log.size, { level: 0, index }).width);
      return {
        version: 1,
        entry: String(entries[sealed.index % TILE_WIDTH]),
        log: await placeIn(tx, own, sealed.index),
        platform: await placeIn(tx, above, await leafOf(tx, own)),
      };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

async function placeIn(tx: ClientBase, facts: LogFacts, index: number): Promise<Receipt['log']> {
  const log = new StoredLog(tx, facts);
  return { index, checkpoint: log.note, proof: await proveInclusion(log, index) };
}

/** Of an event that is gone as well, for which everything that is sealed is looked through: its receipt says what it was. */
async function placeOf(
  tx: ClientBase,
  eventId: string,
): Promise<{ readonly log: number; readonly index: number } | undefined> {
  for (const place of ['place_of_event($1)', 'audit_place where event_id = $1']) {
    const { rows } = await tx.query<{ log: number; index: string }>(
      `select log, index from chronawflow.${place}`,
      [eventId],
    );
    const [found] = rows;
    if (found !== undefined) return { log: found.log, index: Number(found.index) };
  }
  return undefined;
}

/** Where the newest checkpoint of a log stands in the platform log. */
async function leafOf(tx: ClientBase, { id, origin, size }: LogFacts): Promise<number> {
  const { rows } = await tx.query<{ leaf: string | null }>(
    'select leaf from chronawflow.audit_checkpoint where log = $1 and size = $2',
    [id, size],
  );
  const leaf = rows[0]?.leaf;
  if (leaf == null)
    throw new LogDamagedError(origin, `checkpoint ${size} is in the platform log, and nobody knows where`);
  return Number(leaf);
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
