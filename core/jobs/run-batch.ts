import { createHash } from 'node:crypto';
import { messageOf } from '../errors';
import { fingerprint } from '../idempotency';
import { JobFencedError } from './errors/job-fenced-error';
import type { SplitOff } from './store/once-each';

/** What a batch needs of its attempt; `Tx` is a transaction. */
export interface BatchSteps<Tx> {
  readonly key: string;
  readonly signal: AbortSignal;
  onceForEach(
    steps: readonly string[],
    work: (tx: Tx, fresh: ReadonlySet<string>) => Promise<void>,
  ): Promise<number>;
  splitOff(step: string, part: SplitOff): Promise<unknown>;
}

export interface Keyed<Item> {
  readonly key: string;
  readonly item: Item;
}

/** What a batch's job returns: items done by this attempt, by an earlier one, and moved to jobs of their own. */
export interface BatchReport {
  readonly done: number;
  readonly before: number;
  readonly split: number;
}

/** Longest key of a job, in bytes. */
const KEY_BYTES = 300;

/**
 * Runs the items chunk by chunk, each chunk with its records in one transaction. A chunk that fails is done again item by
 * item, and an item that fails alone becomes a job of its own: it neither holds the others up nor takes them with it.
 * An attempt that follows a crash begins with the first chunk that is not recorded.
 */
export async function runBatch<Item, Tx>(
  steps: BatchSteps<Tx>,
  items: readonly Keyed<Item>[],
  chunkSize: number,
  work: (items: readonly Item[], tx: Tx) => Promise<void>,
): Promise<BatchReport> {
  const once = (chunk: readonly Keyed<Item>[]) =>
    steps.onceForEach(
      chunk.map(({ key }) => key),
      (tx, fresh) =>
        work(
          chunk.filter(({ key }) => fresh.has(key)).map(({ item }) => item),
          tx,
        ),
    );
  let done = 0;
  let split = 0;
  for (let at = 0; at < items.length; at += chunkSize) {
    steps.signal.throwIfAborted();
    const chunk = items.slice(at, at + chunkSize);
    try {
      done += await once(chunk);
    } catch (error) {
      // An item alone is this job's own failure: the queue retries or buries it.
      if (items.length === 1 || isOver(steps, error)) throw error;
      const alone = await oneByOne(steps, chunk, once);
      done += alone.done;
      split += alone.split;
    }
  }
  return { done, before: items.length - done - split, split };
}

async function oneByOne<Item, Tx>(
  steps: BatchSteps<Tx>,
  chunk: readonly Keyed<Item>[],
  once: (chunk: readonly Keyed<Item>[]) => Promise<number>,
): Promise<{ readonly done: number; readonly split: number }> {
  let done = 0;
  let split = 0;
  for (const one of chunk) {
    steps.signal.throwIfAborted();
    try {
      done += await once([one]);
    } catch (error) {
      if (isOver(steps, error)) throw error;
      const input = { items: [one.item] };
      await steps.splitOff(one.key, {
        key: partKey(steps.key, one.key),
        input,
        fingerprint: fingerprint(input),
      });
      split += 1;
    }
  }
  return { done, split };
}

/** Not an item's failure: the permit is lost, the attempt is stopped, or the database is away. */
function isOver(steps: Pick<BatchSteps<never>, 'signal'>, error: unknown): boolean {
  return steps.signal.aborted || error instanceof JobFencedError || isConnectionLost(error);
}

/** SQLSTATE classes 08 and 57P, system errors of sockets, and what pg says without a code. */
function isConnectionLost(error: unknown): boolean {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  if (typeof code === 'string') return /^(08...|57P..|25P03|TF001|E[A-Z]+)$/.test(code);
  return /connection terminated|timeout exceeded when trying to connect|not queryable/i.test(
    messageOf(error),
  );
}

/** Key of the job that an item becomes: readable where it fits. */
export function partKey(job: string, item: string): string {
  const readable = `${job}/${item}`;
  if (Buffer.byteLength(readable) <= KEY_BYTES) return readable;
  return createHash('sha256')
    .update(JSON.stringify([job, item]))
    .digest('hex');
}
