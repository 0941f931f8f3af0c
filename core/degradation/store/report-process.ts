import type { Database } from './database';

/** What a process saw of one signal, `ageMs` before it reports. */
export interface ProcessSample {
  readonly signal: string;
  readonly value: number;
  /** Default 0: just now. */
  readonly ageMs?: number;
  /** Default the platform's. */
  readonly scope?: string;
}

export interface ProcessReport {
  /** UUID of the process. */
  readonly process: string;
  /** For people. */
  readonly name: string;
  /** Scope → version that is in force here. */
  readonly applied: Readonly<Record<string, number>>;
  /** Component → why it could not take its part of the level. */
  readonly failed: Readonly<Record<string, string>>;
  readonly samples: readonly ProcessSample[];
}

/** A sign of life, with what the process has applied and what it sees. */
export async function reportProcess(database: Database, report: ProcessReport): Promise<void> {
  const { process, name, applied, failed, samples } = report;
  await database.query(
    `insert into chronawflow.degradation_process (process, name, applied, failed, samples)
     values ($1, $2, $3, $4, $5)
     on conflict (process) do update set seen_at = clock_timestamp(), applied = excluded.applied,
       failed = excluded.failed, samples = excluded.samples`,
    [process, name, JSON.stringify(applied), JSON.stringify(failed), JSON.stringify(samples)],
  );
}

/** A process that ends is no straggler. */
export async function forgetProcess(database: Database, process: string): Promise<void> {
  await database.query('delete from chronawflow.degradation_process where process = $1', [process]);
}
