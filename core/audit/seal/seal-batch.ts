import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { EMPTY_ROOT } from '../merkle';
import { formatCheckpoint } from '../note';
import { type GrownLog, growLog } from './grow-log.pure';
import type { LogSigner } from './log-signer';
import { appendEntries, type Growth, logsOf, platformLog, type StoredLog, saveTrees } from './log-store';
import { type NewEntry, takeEvents } from './take-events';

/** Half a second's work, which a sealer that was killed does again. */
const BATCH = 20_000;

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
      const { trees, events } = await growLogs(tx, signer.origin, limit);
      if (events === 0) return { events, logs: 0, more: false };
      await signTrees(tx, signer, trees);
      return { events, logs: trees.length, more: events === limit };
    },
    // Each statement that takes events sees all that committed below the oldest running transaction.
    { isolation: 'read committed' },
  );
}

interface Tree {
  readonly log: StoredLog;
  readonly grown: GrownLog;
}

/** While the database writes a page of entries, and looks for the next one, the trees of this one are computed. */
async function growLogs(
  tx: ClientBase,
  origin: string,
  limit: number,
): Promise<{ readonly trees: readonly Tree[]; readonly events: number }> {
  const trees = new Map<string | null, Tree>();
  let events = 0;
  let written: Promise<void> = Promise.resolve();
  for await (const page of takeEvents(tx, limit)) {
    const fresh = [...page.keys()].filter((tenant) => !trees.has(tenant));
    for (const log of fresh.length === 0 ? [] : await logsOf(tx, origin, fresh))
      trees.set(log.tenant, { log, grown: { ...log, root: EMPTY_ROOT, subtrees: [] } });
    const growths: Growth[] = [];
    for (const [tenant, entries] of page) {
      const tree = trees.get(tenant);
      if (tree === undefined) throw new RangeError(`the log of ${tenant} is not there`);
      const grown = grow(tree.grown, entries);
      growths.push({ log: tree.log, from: tree.grown.size, entries, grown });
      trees.set(tenant, { ...tree, grown });
      events += entries.length;
    }
    await written;
    written = appendEntries(tx, growths);
    // It is waited for when the next page is there.
    written.catch(() => undefined);
  }
  await written;
  return { trees: [...trees.values()], events };
}

async function signTrees(tx: ClientBase, signer: LogSigner, trees: readonly Tree[]): Promise<void> {
  const now = new Date();
  const signed: { id: number; tree: GrownLog; note: string }[] = [];
  const checkpoints: NewEntry[] = [];
  for (const { log, grown } of trees) {
    const checkpoint = { origin: log.origin, size: grown.size, root: grown.root };
    signed.push({ id: log.id, tree: grown, note: await signer.sign(checkpoint, now) });
    checkpoints.push({ entry: Buffer.from(formatCheckpoint(checkpoint)), eventId: null });
  }
  const platform = await openPlatformLog(tx, signer);
  const grown = grow(platform, checkpoints);
  const note = await signer.sign({ origin: platform.origin, size: grown.size, root: grown.root }, now);
  await appendEntries(tx, [{ log: platform, from: platform.size, entries: checkpoints, grown }]);
  await saveTrees(tx, [...signed, { id: platform.id, tree: grown, note }]);
}

function grow(log: Parameters<typeof growLog>[0], entries: readonly NewEntry[]): GrownLog {
  return growLog(
    log,
    entries.map(({ entry }) => entry),
  );
}
