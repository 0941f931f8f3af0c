import type { Pool } from 'pg';
import type { ChaosReport, ChaosRunInput } from '../types';
import type { ExperimentJournal } from './journal.pure';

export interface ChaosRunEntry {
  readonly id: string;
  readonly experiment: string;
  readonly requestedBy: string;
  /** `running`, or the verdict. */
  readonly state: string;
  readonly faults: readonly string[];
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

/** The control plane's record of runs: what ran, how it ended, its journal. */
export class ChaosRunStore {
  constructor(private readonly platform: Pool) {}

  async begin(id: string, title: string, faults: readonly string[], input: ChaosRunInput): Promise<void> {
    await this.platform.query(
      `insert into chronawflow.chaos_run (id, experiment, requested_by, reason, faults, seed)
       values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing`,
      [id, title, input.requestedBy, input.reason ?? null, faults, input.seed ?? null],
    );
  }

  async finish(report: ChaosReport, journal: ExperimentJournal): Promise<void> {
    await this.platform.query(
      `insert into chronawflow.chaos_run (id, experiment, requested_by, reason, state, faults, seed, report, journal, started_at, finished_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp())
       on conflict (id) do update
         set state = excluded.state, report = excluded.report, journal = excluded.journal,
             finished_at = coalesce(chaos_run.finished_at, excluded.finished_at)`,
      [
        report.runId,
        report.title,
        report.requestedBy,
        report.reason ?? null,
        report.verdict,
        report.faults.map(({ driver }) => driver),
        report.seed ?? null,
        JSON.stringify(report),
        JSON.stringify(journal),
        report.startedAt,
      ],
    );
  }

  async recent(limit: number): Promise<readonly ChaosRunEntry[]> {
    const { rows } = await this.platform.query<ChaosRunEntry>(
      `select id, experiment, requested_by as "requestedBy", state, faults,
              to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "startedAt",
              to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "finishedAt"
         from chronawflow.chaos_run order by started_at desc limit $1`,
      [limit],
    );
    return rows;
  }

  /** undefined when there is no such run, or it has not ended. */
  async read(
    id: string,
  ): Promise<{ readonly report: ChaosReport; readonly journal: ExperimentJournal } | undefined> {
    const { rows } = await this.platform.query<{
      report: ChaosReport | null;
      journal: ExperimentJournal | null;
    }>('select report, journal from chronawflow.chaos_run where id = $1', [id]);
    const [row] = rows;
    return row?.report && row.journal ? { report: row.report, journal: row.journal } : undefined;
  }
}
