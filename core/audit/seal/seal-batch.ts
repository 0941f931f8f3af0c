import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { EMPTY_ROOT } from '../merkle';
import { formatCheckpoint } from '../note';
import { growLog } from './grow-log.pure';
import type { LogSigner } from './log-signer';
import { appendToLog, logsOf, type NewEntry, platformLog, type StoredLog, takeEvents } from './log-store';

/** Enough for 45,000 a second, and a transaction that a restart repeats in a moment. */
const BATCH = 5_000;

/** Makes the platform's log where there is none, so that it can be exported and witnessed before it has an entry. */
export async function openPlatformLog(tx: ClientBase, signer: LogSigner): Promise<StoredLog> {
  return platformLog(tx, signer.origin, () =>
    signer.sign({ origin: signer.origin, size: 0, root: EMPTY_ROOT }, new Date()),
  );
}

export interface SealedBatch {
  readonly events: number;
  /** Logs that grew, the platform's not counted. */
  readonly logs: number;
  /** The batch was full, so there may be more. */
  readonly more: boolean;
}

/**
 * Seals the next events in one transaction: each tenant's log grows by its events, and the platform log by the checkpoints
 * of those logs. Nothing of it is seen before all of it is there; a batch that was cut short is made again.
 */
export async function sealBatch(pool: Pool, signer: LogSigner, limit = BATCH): Promise<SealedBatch> {
  return inTransaction(
    pool,
    async (tx) => {
      const { entries, count } = await takeEvents(tx, limit);
      if (count === 0) return { events: 0, logs: 0, more: false };
      const now = new Date();
      const logs = await logsOf(tx, signer.origin, [...entries.keys()]);
      const checkpoints: NewEntry[] = [];
      for (const log of logs) {
        const own = entries.get(log.tenant) ?? [];
        const grown = growLog(
          log,
          own.map(({ entry }) => entry),
        );
        const checkpoint = { origin: log.origin, size: grown.size, root: grown.root };
        await appendToLog(tx, log, own, grown, await signer.sign(checkpoint, now));
        checkpoints.push({ entry: Buffer.from(formatCheckpoint(checkpoint)), eventId: null });
      }
      const platform = await openPlatformLog(tx, signer);
      const grown = growLog(
        platform,
        checkpoints.map(({ entry }) => entry),
      );
      const note = await signer.sign({ origin: platform.origin, size: grown.size, root: grown.root }, now);
      await appendToLog(tx, platform, checkpoints, grown, note);
      return { events: count, logs: logs.length, more: count === limit };
    },
    // The statement that takes the events sees all that committed below the oldest running transaction.
    { isolation: 'read committed' },
  );
}
