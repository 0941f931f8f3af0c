/**
 * `npm run bench -- jobs [--quick] [--json]`: a job beside a bare Temporal workflow with one activity, and a tenant's
 * few jobs behind another's many, on the same servers. Defaults: cap set, permit taken, search attributes and audit on.
 * How it measures, and what came out: docs/resilience/jobs.md.
 */
import { measureBatches } from './jobs/batch';
import { measureDeferred } from './jobs/deferred';
import { measureNoisy, p95VsFair } from './jobs/noisy';
import { measureOverhead, ratio } from './jobs/overhead';
import { openJobsScene } from './jobs/scene';
import { batchTable, deferredTable, noisyTable, overheadTable } from './jobs/tables';
import type { Goals } from './support/goals.pure';
import { type Bench, type Measured, runBenchmark } from './support/run-benchmark';
import { median } from './support/statistics.pure';

const GOALS: Goals = {
  job_vs_bare: '>=0.9',
  once_vs_bare: '>=0.9',
  batch_vs_graphile: '>=2',
  batch_vs_graphile_packed: '>=0.5',
  noisy_p95_vs_fair: '<=1.5',
  noisy_rate_vs_temporal: '>=0.9',
};

async function measure(bench: Bench): Promise<Measured> {
  const scene = await openJobsScene(bench);
  const overhead = await measureOverhead(bench, scene);
  const { nothing, insert } = overhead;
  const batches = await measureBatches(bench, scene);
  const noisy = await measureNoisy(bench, scene);
  const deferred = await measureDeferred(bench, scene);
  const rates = (side: keyof typeof noisy) => noisy[side].map((run) => run.rate);
  return {
    text: [overheadTable(overhead), batchTable(batches), noisyTable(noisy), deferredTable(deferred)].join(
      '\n\n',
    ),
    figures: {
      job_vs_bare: ratio(nothing.job, nothing.bare),
      job_control: ratio(nothing.control, nothing.bare),
      once_vs_bare: ratio(insert.job, insert.bare),
      once_control: ratio(insert.control, insert.bare),
      bare_per_s: median(nothing.bare),
      job_per_s: median(nothing.job),
      batch_vs_graphile: ratio(batches.chronawflow, batches.graphile),
      batch_vs_graphile_packed: ratio(batches.chronawflow, batches.packed),
      batch_per_s: median(batches.chronawflow),
      noisy_p95_vs_fair: p95VsFair(noisy.chronawflow),
      noisy_p95_vs_fair_temporal: p95VsFair(noisy.temporal),
      noisy_p95_vs_fair_fairness_keys: p95VsFair(noisy['fairness keys']),
      noisy_p95_vs_fair_graphile: p95VsFair(noisy['graphile-worker']),
      noisy_rate_vs_temporal: ratio(rates('chronawflow'), rates('temporal')),
      noisy_rate_control: ratio(rates('control'), rates('temporal')),
      deferred_jobs: deferred.jobs,
      deferred_submitted_per_s: deferred.perSecond,
      deferred_bytes_per_job: deferred.databaseBytes / deferred.jobs,
      deferred_database_mb: deferred.databaseBytes / 1_048_576,
      deferred_worker_rss_mb: deferred.rssMb,
      deferred_worker_idle_rss_mb: deferred.idleRssMb,
    },
  };
}

runBenchmark('jobs', GOALS, measure);
