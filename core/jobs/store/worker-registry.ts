import type { Pool } from 'pg';

/** What a worker process tells of itself. */
export interface JobWorker {
  readonly id: string;
  /** Attempts that it runs at once. */
  readonly slots: number;
  /** Types whose code it has. */
  readonly types: readonly string[];
}

/** A worker that has not told of itself for this long does not count. */
export const WORKER_SEEN_MS = 20_000;

export async function registerWorker(pool: Pool, { id, slots, types }: JobWorker): Promise<void> {
  await pool.query(
    `insert into chronawflow.job_worker (id, slots, types) values ($1, $2, $3)
     on conflict (id) do update set slots = excluded.slots, types = excluded.types, seen_at = clock_timestamp()`,
    [id, slots, types],
  );
}

/** Takes out the worker that stops, and those that were killed long ago. */
export async function forgetWorker(pool: Pool, id: string): Promise<void> {
  await pool.query(
    `delete from chronawflow.job_worker where id = $1 or seen_at < clock_timestamp() - interval '1 day'`,
    [id],
  );
}
