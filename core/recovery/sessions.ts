import type { ClientBase, Pool } from 'pg';
import { createPool, inTransaction, type TransactionOptions } from '../../database';
import type { RecoveryContext } from './engine';

/**
 * Several sessions on the application's database that share the work of one step. Tables differ in size, so each session
 * takes the next item when it is done with one.
 */
export interface Sessions {
  /** Results in the order of `items`. When one fails, no further one is begun, and the first error is thrown. */
  each<T, R>(items: readonly T[], work: (tx: ClientBase, item: T) => Promise<R>): Promise<R[]>;
}

/**
 * Lends a pool with one session more than `recovery.sessions`: for those that share the work and for one that leads
 * them. It is the step's own, because steps that wait for each other's connections could wait for ever. All are connected
 * at once, while the step does what comes before their work.
 */
export async function withSessionPool<T>(ctx: RecoveryContext, work: (pool: Pool) => Promise<T>): Promise<T> {
  const max = ctx.config.recovery.sessions + 1;
  const pool = createPool(ctx.config.application.database, { applicationName: 'chronawflow worker', max });
  const connected = connectAll(pool, max);
  try {
    return await work(pool);
  } finally {
    await connected;
    await pool.end();
  }
}

/** A connection that is refused now is tried again, and then told, by whoever needs it. */
async function connectAll(pool: Pool, sessions: number): Promise<void> {
  const connections = Array.from({ length: sessions }, async () => (await pool.connect()).release());
  await Promise.allSettled(connections);
}

/** `prepare` runs first in each session's transaction, for its settings and its snapshot. */
export function sharedBy(
  pool: Pool,
  sessions: number,
  prepare: (tx: ClientBase) => Promise<void>,
  options?: TransactionOptions,
): Sessions {
  return {
    each: async (items, work) =>
      eachAtOnce(items, sessions, (next) =>
        inTransaction(
          pool,
          async (tx) => {
            await prepare(tx);
            await next((item) => work(tx, item));
          },
          options,
        ),
      ),
  };
}

/** The same work in one session, one item after the other: it sees what this session has not committed. */
export function inOneSession(tx: ClientBase): Sessions {
  return { each: (items, work) => eachAtOnce(items, 1, (next) => next((item) => work(tx, item))) };
}

/**
 * Runs up to `lanes` lanes at once over one queue. A lane does what it needs around its items and calls `next` once,
 * which resolves when the queue is empty.
 */
async function eachAtOnce<T, R>(
  items: readonly T[],
  lanes: number,
  lane: (next: (work: (item: T) => Promise<R>) => Promise<void>) => Promise<void>,
): Promise<R[]> {
  const queue = items.entries();
  const results = new Map<number, R>();
  let failed = false;
  // At once: the lane itself fails only after it has rolled back.
  const fail = (error: unknown): never => {
    failed = true;
    throw error;
  };
  const run = () =>
    lane(async (work) => {
      for (const [index, item] of queue) {
        if (failed) return;
        results.set(index, await work(item).catch(fail));
      }
    }).catch(fail);
  const ended = await Promise.allSettled(Array.from({ length: Math.min(lanes, items.length) }, run));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
