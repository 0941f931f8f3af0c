import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { EMPTY_ROOT } from '../merkle';
import { formatCheckpoint } from '../note';
import { type CutEntries, cutBundles, type Run } from './cut-bundles.pure';
import { type GrownLog, growLog } from './grow-log.pure';
import type { LogSigner } from './log-signer';
import {
  appendRuns,
  logsOf,
  type NewRun,
  type NewSubtree,
  platformLog,
  type SignedTree,
  type StoredLog,
  saveSubtrees,
  saveTrees,
} from './log-store';
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
  /** Entries that end no bundle yet and are not written. */
  readonly rest: Run;
}

/**
 * Entries are written a bundle at a time, what ends none at the end of the batch. While the database writes those of a page of
 * events, and looks for the next page, the trees of this one are computed.
 */
async function growLogs(
  tx: ClientBase,
  origin: string,
  limit: number,
): Promise<{ readonly trees: readonly Tree[]; readonly events: number }> {
  const trees = new Map<string | null, Tree>();
  let events = 0;
  let written: Promise<void> = Promise.resolve();
  const write = async (runs: readonly NewRun[], subtrees: readonly NewSubtree[]) => {
    await appendRuns(tx, runs);
    await saveSubtrees(tx, subtrees);
  };
  for await (const page of takeEvents(tx, limit)) {
    const fresh = [...page.keys()].filter((tenant) => !trees.has(tenant));
    for (const log of fresh.length === 0 ? [] : await logsOf(tx, origin, fresh))
      trees.set(log.tenant, unchanged(log));
    const runs: NewRun[] = [];
    const subtrees: NewSubtree[] = [];
    for (const [tenant, entries] of page) {
      const tree = trees.get(tenant);
      if (tree === undefined) throw new RangeError(`the log of ${tenant} is not there`);
      const { id } = tree.log;
      const { grown, full, rest } = grow(tree, entries);
      runs.push(...full.map((run) => ({ ...run, log: id })));
      subtrees.push(...grown.subtrees.map((subtree) => ({ ...subtree, log: id })));
      trees.set(tenant, { ...tree, grown, rest });
      events += entries.length;
    }
    await written;
    written = write(runs, subtrees);
    // It is waited for when the next page is there.
    written.catch(() => undefined);
  }
  await written;
  await appendRuns(
    tx,
    [...trees.values()]
      .filter(({ rest }) => rest.entries.length > 0)
      .map(({ log, rest }) => ({ ...rest, log: log.id })),
  );
  return { trees: [...trees.values()], events };
}

async function signTrees(tx: ClientBase, signer: LogSigner, trees: readonly Tree[]): Promise<void> {
  const now = new Date();
  const platform = await openPlatformLog(tx, signer);
  const signed: SignedTree[] = [];
  const checkpoints: NewEntry[] = [];
  for (const { log, grown } of trees) {
    const checkpoint = { origin: log.origin, size: grown.size, root: grown.root };
    const leaf = platform.size + checkpoints.length;
    signed.push({ id: log.id, tree: grown, note: await signer.sign(checkpoint, now), leaf });
    checkpoints.push({ entry: Buffer.from(formatCheckpoint(checkpoint)) });
  }
  const { id, origin } = platform;
  const { grown, full, rest } = grow(unchanged(platform), checkpoints);
  const note = await signer.sign({ origin, size: grown.size, root: grown.root }, now);
  await appendRuns(
    tx,
    [...full, rest].filter(({ entries }) => entries.length > 0).map((run) => ({ ...run, log: id })),
  );
  await saveSubtrees(
    tx,
    grown.subtrees.map((subtree) => ({ ...subtree, log: id })),
  );
  await saveTrees(tx, [...signed, { id, tree: grown, note, leaf: null }]);
}

function unchanged(log: StoredLog): Tree {
  return { log, grown: { ...log, root: EMPTY_ROOT, subtrees: [] }, rest: { first: log.size, entries: [] } };
}

/** The tree with these entries, and what of them can be written by now. */
function grow(
  { grown, rest }: Tree,
  entries: readonly NewEntry[],
): CutEntries & { readonly grown: GrownLog } {
  const added = growLog(
    grown,
    entries.map(({ entry }) => entry),
  );
  return { grown: added, ...cutBundles({ first: rest.first, entries: [...rest.entries, ...entries] }) };
}
