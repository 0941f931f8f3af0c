import type { Pool } from 'pg';
import type { JobsConfig } from '../../config';
import { inTransaction } from '../../database';
import type { Job } from './define-job';
import { PLATFORM_ACTOR } from './job-event';
import { judgeFailures, type Verdict } from './judge-failures.pure';
import type { StepLog } from './log';
import { refText } from './store/columns.pure';
import { holdIn, sweepHolds } from './store/holds';
import { addOutcomes, forgetOutcomes, readOutcomes } from './store/outcomes';

export interface FailureWatchOptions {
  readonly pool: Pool;
  readonly jobs: ReadonlyMap<string, Job>;
  readonly rules: JobsConfig['quarantine'];
  readonly log: StepLog;
}

const EVERY_MS = 5_000;

/** Counts how attempts end, and quarantines what fails too much: README.md, invariant 13. */
export class FailureWatch {
  private counts = new Map<string, { tenant: string; type: string; succeeded: number; failed: number }>();
  private judgedAt = performance.now();

  constructor(private readonly options: FailureWatchOptions) {}

  /** An attempt of this process ended. */
  ended({ tenant, type }: { readonly tenant: string; readonly type: string }, well: boolean): void {
    const key = refText({ tenant, type, key: '' });
    const count = this.counts.get(key) ?? { tenant, type, succeeded: 0, failed: 0 };
    if (well) count.succeeded += 1;
    else count.failed += 1;
    this.counts.set(key, count);
  }

  /** A round when the last one is some seconds ago; one that fails is logged, and the next one is tried. */
  async roundWhenDue(): Promise<void> {
    if (performance.now() - this.judgedAt < EVERY_MS) return;
    this.judgedAt = performance.now();
    try {
      await this.round();
    } catch (error) {
      this.options.log.warn({ err: error }, 'failures of jobs could not be judged; trying again');
    }
  }

  /** Tells the database what was counted and judges what all processes counted. @throws what the database throws */
  async round(): Promise<void> {
    const { pool, log } = this.options;
    const { failureShare: share, minEnds, window: windowMs } = this.options.rules;
    for (const { tenant, type, reason } of await sweepHolds(pool))
      log.info({ tenant, type, reason }, 'the time of a hold on jobs is over');
    if (share === false) return this.counts.clear();
    const ends = [...this.counts.values()];
    // Lost when the database does not take them: they are a sample, not a ledger.
    this.counts = new Map();
    if (ends.length > 0) await addOutcomes(pool, ends, windowMs);
    if (!ends.some((one) => one.failed > 0)) return;
    for (const verdict of judgeFailures(await readOutcomes(pool, windowMs), { share, minEnds }))
      await this.hold(verdict);
  }

  private async hold(verdict: Verdict): Promise<void> {
    const { pool, jobs, rules, log } = this.options;
    const { tenant, type, ends, failed } = verdict;
    const stopsCore = coreTypes(jobs, type);
    const limit = stopsCore.length === 0 ? {} : { forMs: rules.coreLimit, stopsCore };
    const named = stopsCore.length === 0 ? '' : `; stops the core types ${stopsCore.join(', ')} for a time`;
    const reason = `${failed} of ${ends} attempts failed${named}`;
    const at = { tenant, ...(type === '' ? {} : { type }) };
    const fresh = await inTransaction(pool, async (tx) => {
      await forgetOutcomes(tx, verdict);
      return holdIn(tx, at, { kind: 'quarantine', reason, by: PLATFORM_ACTOR, ...limit });
    });
    if (fresh) log.warn({ ...at, reason }, 'jobs are held by a rule');
  }
}

/** Core types that a hold on `type` stops; empty stands for all types. */
export function coreTypes(jobs: ReadonlyMap<string, Job>, type: string): string[] {
  return [...jobs.values()]
    .filter((job) => job.policy.core && (type === '' || type === job.type))
    .map((job) => job.type);
}
