import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { Chronawflow } from '../../client';
import { parseConfig } from '../../config';
import { defineBatchJob, defineJob, type JobRef } from '../../core/jobs';
import { packageRoot } from '../../core/local-stack';
import type { ConnectionSettings } from '../../database';
import { building, type CleanUp } from './clean-up';
import { type JobSettings, type JobStage, rawJobConfig, startJobStage } from './job-stage';
import { JobWorkerProcess } from './job-worker-process';
import { ensureBuilt } from './restore-stage-worker';
import { countedJobModule, RunningCode } from './running-code';

/** What the workers of a fleet run: here they are only submitted. */
export const EFFECT = defineJob({
  type: 'effect',
  input: z.object({ beforeMs: z.number(), insideMs: z.number(), afterMs: z.number() }),
  run: async () => null,
});
const LINES = defineBatchJob({
  type: 'lines',
  item: z.string(),
  itemKey: (name) => name,
  runBatch: async () => {},
});
const POISON = defineJob({ type: 'poison', input: z.null(), run: async () => null });

/** Real worker processes that may be hurt, with jobs that are counted where they run. */
export interface JobFleet {
  readonly stage: JobStage;
  readonly cf: Chronawflow;
  readonly code: RunningCode;
  /** They are killed by `cleanUp`. */
  startWorkers(count: number, cleanUp: CleanUp): Promise<JobWorkerProcess[]>;
  /**
   * Jobs `effect`, one tenant after the other. No key comes twice in the life of a fleet: the workflow of an earlier job may still
   * wait for a worker that was killed.
   */
  submitEffects(count: number, input: object, tenants?: readonly string[]): Promise<readonly JobRef[]>;
  /** Jobs by state. */
  states(): Promise<Readonly<Record<string, number>>>;
  effects(): Promise<{ readonly all: number; readonly distinct: number }>;
  stop(): Promise<void>;
}

/** @param reach how the workers reach the application's database, once the stage is there; directly by default */
export function startJobFleet(
  settings: JobSettings,
  reach?: (stage: JobStage) => Promise<Pick<ConnectionSettings, 'host' | 'port'>>,
): Promise<JobFleet> {
  return building(async (cleanUp) => {
    await ensureBuilt();
    const stage = await startJobStage({ tcp: reach !== undefined });
    cleanUp.add(() => stage.stop());
    const directory = await mkdtemp(join(tmpdir(), 'cf-jobs-'));
    cleanUp.add(() => rm(directory, { recursive: true }));
    const code = new RunningCode();
    const socket = join(directory, 'running.sock');
    await code.listen(socket);
    cleanUp.add(() => code.close());
    const module = countedJobModule({
      entry: join(packageRoot(), 'dist', 'client', 'job-types.js'),
      zod: join(packageRoot(), 'node_modules', 'zod'),
      socket,
    });
    await writeFile(join(directory, 'jobs.cjs'), module);
    const file = join(directory, 'chronawflow.yaml');
    const jobs = { ...settings, modules: ['jobs.cjs'] };
    await writeFile(file, stringify(rawJobConfig(stage, jobs, 'fleet', await reach?.(stage))));
    // The submitter has a way of its own: this is about workers.
    const raw = rawJobConfig(stage, { ...settings, modules: [] }, 'fleet');
    const config = parseConfig(JSON.stringify(raw), { file, env: {} });
    const cf = await Chronawflow.connect({ config, jobs: [EFFECT, LINES, POISON] });
    cleanUp.add(() => cf.close());
    let submitted = 0;
    return {
      stage,
      cf,
      code,
      startWorkers: async (count, ofTest) => {
        const workers = Array.from({ length: count }, () => new JobWorkerProcess(file));
        for (const worker of workers) ofTest.add(() => worker.kill());
        await Promise.all(workers.map((worker) => worker.start()));
        return workers;
      },
      submitEffects: async (count, input, tenants = ['t1', 't2', 't3']) => {
        const refs = Array.from({ length: count }, (_, n) => ({
          tenant: tenants[n % tenants.length] ?? 't1',
          type: 'effect',
          key: `k${submitted + n}`,
        }));
        submitted += count;
        for await (const item of cf.jobs.submitMany(refs.map((ref) => ({ ...ref, input }))))
          if (item.outcome !== 'submitted') throw new Error(`job ${item.key} was ${item.outcome}`);
        return refs;
      },
      states: async () => {
        const { rows } = await stage.app.query<{ state: string; count: number }>(
          'select state, count(*)::integer as count from chronawflow.job group by state',
        );
        return Object.fromEntries(rows.map((row) => [row.state, row.count]));
      },
      effects: async () => {
        const { rows } = await stage.app.query<{ all: number; distinct: number }>(
          'select count(*)::integer as all, count(distinct name)::integer as distinct from effect',
        );
        return rows[0] ?? { all: 0, distinct: 0 };
      },
      stop: () => cleanUp.run(),
    };
  });
}
