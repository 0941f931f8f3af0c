import { z } from 'zod';
import { PLATFORM_SCOPE } from '../scope';
import type { Sample } from '../types';
import type { Database } from './database';

/** What a process has last said of itself. */
export interface ProcessState {
  readonly process: string;
  readonly name: string;
  readonly ageMs: number;
  readonly applied: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, string>>;
  readonly samples: z.output<typeof sample>[];
}

const sample = z.object({
  signal: z.string(),
  value: z.number(),
  ageMs: z.number().optional(),
  scope: z.string().optional(),
});

const row = z.object({
  process: z.string(),
  name: z.string(),
  ageMs: z.number(),
  applied: z.record(z.string(), z.number()),
  failed: z.record(z.string(), z.string()),
  // What is no sample is somebody else's mistake, and must not silence everybody.
  samples: z.array(z.unknown()).transform((all) => all.flatMap((one) => sample.safeParse(one).data ?? [])),
});

/** Processes that gave a sign within this time, in milliseconds by the database's clock. */
export async function readProcesses(database: Database, withinMs: number): Promise<ProcessState[]> {
  const { rows } = await database.query(
    `select process, name, applied, failed, samples,
       extract(epoch from clock_timestamp() - seen_at)::float8 * 1000 as "ageMs"
     from chronawflow.degradation_process
     where seen_at > clock_timestamp() - $1 * interval '1 millisecond'
     order by name, process`,
    [withinMs],
  );
  return z.array(row).parse(rows);
}

/** What processes saw of a scope, each as old as it is now. */
export function samplesOf(processes: readonly ProcessState[], scope: string): Sample[] {
  return processes.flatMap(({ process, ageMs, samples }) =>
    samples
      .filter((one) => (one.scope ?? PLATFORM_SCOPE) === scope)
      .map(({ signal, value, ageMs: before = 0 }) => ({
        signal,
        value,
        instance: process,
        ageMs: ageMs + before,
      })),
  );
}

/** Long after a process was last counted as living its row is only in the way. */
export async function forgetDead(database: Database, afterMs: number): Promise<void> {
  await database.query(
    `delete from chronawflow.degradation_process
     where seen_at < clock_timestamp() - $1 * interval '1 millisecond'`,
    [afterMs],
  );
}
