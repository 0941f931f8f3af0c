import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { Chronawflow, defineJob } from '../../client';
import { parseConfig } from '../../config';
import { packageRoot } from '../../core/local-stack';
import { clearQueue, rawJobConfig } from '../../test/support/job-stage';
import { JobWorkerProcess } from '../../test/support/job-worker-process';
import { ensureBuilt } from '../../test/support/restore-stage-worker';
import type { Bench } from '../support/run-benchmark';
import type { JobsScene } from './scene';

/** What a backlog costs that is far over its limit and waits. */
export interface Deferred {
  readonly jobs: number;
  readonly perSecond: number;
  /** Of the queue's table and its indexes. */
  readonly databaseBytes: number;
  /** Of a worker process with an empty queue, and with this one. */
  readonly idleRssMb: number;
  readonly rssMb: number;
}

/** A worker looks at the queue several times a second; what a look costs it has cost it by then. */
const SETTLE_MS = 10_000;
const BACKLOG = 1_000;

const later = defineJob({ type: 'later', input: z.object({ n: z.number() }), run: async () => undefined });

const source = (root: string) => `
const { defineJob } = require(${JSON.stringify(join(root, 'dist', 'client', 'job-types.js'))});
const { z } = require(${JSON.stringify(join(root, 'node_modules', 'zod'))});
exports.jobs = [defineJob({ type: 'later', input: z.object({ n: z.number() }), run: async () => undefined })];
`;

/** Jobs of one tenant far over its backlog, with the overflow `defer`, of which none may run. */
export async function measureDeferred(bench: Bench, scene: JobsScene): Promise<Deferred> {
  const jobs = bench.quick ? 10_000 : 100_000;
  const { stage } = scene;
  await ensureBuilt();
  await clearQueue(stage);
  const directory = await mkdtemp(join(tmpdir(), 'cf-bench-'));
  bench.cleanUp.add(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'jobs.cjs'), source(packageRoot()));
  const file = join(directory, 'chronawflow.yaml');
  const settings = { overflow: 'defer', tenantBacklog: BACKLOG };
  await writeFile(file, stringify(rawJobConfig(stage, { ...settings, modules: ['jobs.cjs'] }, 'deferred')));
  const raw = rawJobConfig(stage, settings, 'deferred');
  const cf = await Chronawflow.connect({
    config: parseConfig(JSON.stringify(raw), { file, env: {} }),
    jobs: [later],
  });
  bench.cleanUp.add(() => cf.close());
  await cf.jobs.setLimit({ tenant: 't1' }, { inFlight: 0 });
  const worker = new JobWorkerProcess(file);
  bench.cleanUp.add(() => worker.stop());
  return bench.progress.during(`${jobs} deferred jobs`, async () => {
    await worker.start();
    await sleep(SETTLE_MS);
    const idleRssMb = await rssMb(worker.pid);
    const began = performance.now();
    const requests = Array.from({ length: jobs }, (_, n) => ({
      tenant: 't1',
      type: 'later',
      key: `k${n}`,
      input: { n },
    }));
    for await (const item of cf.jobs.submitMany(requests))
      if (item.outcome !== 'submitted') throw new Error(`a job was ${item.outcome}`);
    const perSecond = jobs / ((performance.now() - began) / 1_000);
    await sleep(SETTLE_MS);
    const { rows } = await stage.app.query<{ bytes: string }>(
      `select pg_total_relation_size('chronawflow.job') as bytes`,
    );
    const result = {
      jobs,
      perSecond,
      databaseBytes: Number(rows[0]?.bytes),
      idleRssMb,
      rssMb: await rssMb(worker.pid),
    };
    await worker.stop();
    return result;
  });
}

/** Linux: /proc/PID/status, `VmRSS` in kB. */
async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}
