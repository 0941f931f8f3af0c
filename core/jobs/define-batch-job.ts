import type { PoolClient } from 'pg';
import { z } from 'zod';
import { InvalidInputError } from '../errors';
import { defineJob, type Job, type JobContext, type JobOptions } from './define-job';
import { runBatch } from './run-batch';

export interface BatchJobOptions<Item extends z.ZodType>
  extends Pick<JobOptions<z.ZodType>, 'type' | 'retry' | 'timeout' | 'concurrency' | 'priority' | 'core'> {
  readonly item: Item;
  /** What an item is called, once in a batch: the same item of the same job happens once. 1 to 200 bytes. */
  itemKey(item: z.output<Item>): string;
  /**
   * Items with the same answer are done in their order: one that fails holds back those after it, and nobody else. Default:
   * one that fails holds back nobody.
   */
  orderBy?(item: z.output<Item>): string;
  /** Items in one transaction. Default 500. */
  readonly chunkSize?: number;
  /** The effects of some items through `tx`, in their order in the batch. They commit with the items' records. */
  runBatch(ctx: JobContext, items: readonly z.output<Item>[], tx: PoolClient): Promise<void>;
}

const DEFAULT_CHUNK = 500;
const ITEM_KEY_BYTES = 200;

/**
 * A type of job that does many small items, each once: a job's input is `{ items: […] }`. Its result says how many were
 * done and how many became jobs of their own because they failed.
 *
 * @example
 * export const importLines = defineBatchJob({
 *   type: 'import-lines',
 *   item: z.object({ id: z.string(), amount: z.string() }),
 *   itemKey: (line) => line.id,
 *   runBatch: async (ctx, lines, tx) => insertLines(tx, ctx.tenant, lines),
 * });
 *
 * @throws InvalidInputError when an option is wrong
 */
export function defineBatchJob<Item extends z.ZodType>(
  given: BatchJobOptions<Item>,
): Job<{ readonly items: readonly z.input<Item>[] }> {
  const { item, itemKey, orderBy, chunkSize = DEFAULT_CHUNK, runBatch: work, ...options } = given;
  if (!Number.isInteger(chunkSize) || chunkSize < 1)
    throw new InvalidInputError(`defineBatchJob(${given.type}): chunkSize has to be a whole number above 0.`);
  const input = z.object({ items: z.array(item).min(1) }).superRefine(({ items }, ctx) => {
    const seen = new Set<string>();
    for (const [index, one] of items.entries()) {
      const key = itemKey(one);
      const path = ['items', index];
      if (key.length === 0 || Buffer.byteLength(key) > ITEM_KEY_BYTES || key.includes('\0'))
        ctx.addIssue({ code: 'custom', path, message: `an item key has 1 to ${ITEM_KEY_BYTES} bytes` });
      if (seen.has(key)) ctx.addIssue({ code: 'custom', path, message: `two items have the key ${key}` });
      seen.add(key);
    }
  });
  return defineJob({
    ...options,
    input,
    run: (ctx, { items }) =>
      runBatch(
        ctx,
        items.map((one) => ({ key: `item ${itemKey(one)}`, item: one, line: orderBy?.(one) })),
        chunkSize,
        (some, tx) => work.call(given, ctx, some, tx),
      ),
  });
}
