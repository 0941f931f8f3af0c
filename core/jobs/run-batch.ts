import { createHash } from 'node:crypto';
import { messageOf } from '../errors';
import { fingerprint } from '../idempotency';
import { JobFencedError } from './errors/job-fenced-error';
import type { SplitOff } from './store/batch-records';

/** What a batch needs of its attempt; `Tx` is a transaction. */
export interface BatchSteps<Tx> {
  readonly key: string;
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
  onceForEach(
    steps: readonly string[],
    work: (tx: Tx, fresh: ReadonlySet<string>) => Promise<void>,
  ): Promise<number>;
  splitOff(steps: readonly string[], part: SplitOff): Promise<unknown>;
}

export interface Keyed<Item> {
  readonly key: string;
  readonly item: Item;
  /** Items with the same line stay in their order, also when one of them fails; absent: no order is asked for. */
  readonly line?: string;
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
 * item, and an item that fails alone becomes a job of its own, together with the later items of its line: it neither holds
 * the others up nor takes them with it. An attempt that follows a crash begins with the first chunk that is not recorded.
 */
export async function runBatch<Item, Tx>(
  steps: BatchSteps<Tx>,
  items: readonly Keyed<Item>[],
  chunkSize: number,
  work: (items: readonly Item[], tx: Tx) => Promise<void>,
): Promise<BatchReport> {
  const batch = { steps, items, work, indivisible: items.length === 1 || oneLine(items) };
  const moved = new Set<string>();
  let done = 0;
  for (let at = 0; at < items.length; at += chunkSize) {
    steps.signal.throwIfAborted();
    const chunk = items.slice(at, at + chunkSize);
    try {
      done += await once(batch, chunk);
    } catch (error) {
      if (items.length === 1 || isOver(steps, error)) throw error;
      done += await oneByOne(batch, chunk, moved);
    }
    steps.progress(Math.min(at + chunkSize, items.length), items.length);
  }
  return { done, before: items.length - done - moved.size, split: moved.size };
}

interface Batch<Item, Tx> {
  readonly steps: BatchSteps<Tx>;
  readonly items: readonly Keyed<Item>[];
  readonly work: (items: readonly Item[], tx: Tx) => Promise<void>;
  /** A failure of one of its items is the job's own: the queue retries or buries it. */
  readonly indivisible: boolean;
}

/** The items of a chunk that are not recorded, with their records. @returns how many */
function once<Item, Tx>({ steps, work }: Batch<Item, Tx>, chunk: readonly Keyed<Item>[]): Promise<number> {
  return steps.onceForEach(
    chunk.map(({ key }) => key),
    (tx, fresh) =>
      work(
        chunk.filter(({ key }) => fresh.has(key)).map(({ item }) => item),
        tx,
      ),
  );
}

/** @returns how many were done; those that became jobs of their own are added to `moved` */
async function oneByOne<Item, Tx>(
  batch: Batch<Item, Tx>,
  chunk: readonly Keyed<Item>[],
  moved: Set<string>,
): Promise<number> {
  const { steps, items, indivisible } = batch;
  let done = 0;
  for (const one of chunk) {
    steps.signal.throwIfAborted();
    if (moved.has(one.key)) continue;
    try {
      done += await once(batch, [one]);
    } catch (error) {
      if (indivisible || isOver(steps, error)) throw error;
      const part = withItsLine(items, one);
      const input = { items: part.map(({ item }) => item) };
      await steps.splitOff(
        part.map(({ key }) => key),
        { key: partKey(steps.key, one.key), input, fingerprint: fingerprint(input) },
      );
      for (const { key } of part) moved.add(key);
    }
  }
  return done;
}

/** The item and what comes after it in its line. */
function withItsLine<Item>(items: readonly Keyed<Item>[], one: Keyed<Item>): readonly Keyed<Item>[] {
  if (one.line === undefined) return [one];
  return items.slice(items.indexOf(one)).filter(({ line }) => line === one.line);
}

function oneLine(items: readonly Keyed<unknown>[]): boolean {
  const line = items[0]?.line;
  return line !== undefined && items.every((one) => one.line === line);
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
