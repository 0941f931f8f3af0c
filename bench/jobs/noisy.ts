import type { Bench } from '../support/run-benchmark';
import { median } from '../support/statistics.pure';
import { runGraphile } from './graphile-side';
import type { JobsScene } from './scene';
import { NOISY_SLOTS, type NoisyRun, OF_B, WATCHED_TENANT, watch } from './watch-neighbour';

export const NOISY_WORK_MS = 400;
const A = 't1';
const B = WATCHED_TENANT;

export type NoisySide = 'temporal' | 'control' | 'fairness keys' | 'graphile-worker' | 'chronawflow';

export type NoisyRuns = Readonly<Record<NoisySide, readonly NoisyRun[]>>;

/**
 * What B's p95 would be if the two tenants shared the system's own rate equally: the 19th of B's 20 jobs ends after
 * 19 ÷ (rate ÷ 2).
 */
export function fairP95Ms(rate: number): number {
  return (Math.ceil(OF_B * 0.95) / (rate / 2)) * 1_000;
}

/** Medians over the rounds of B's p95 ÷ its ideal at that round's own rate. */
export function p95VsFair(runs: readonly NoisyRun[]): number {
  return median(runs.map((run) => run.p95Ms / fairP95Ms(run.rate)));
}

/** 2,000 jobs of A stand in the queue when 20 jobs of B come. */
export async function measureNoisy(bench: Bench, scene: JobsScene): Promise<NoisyRuns> {
  const rounds = bench.quick ? 1 : 3;
  const ofA = bench.quick ? 200 : 2_000;
  scene.shared.workMs = NOISY_WORK_MS;
  const runs: Record<NoisySide, NoisyRun[]> = {
    temporal: [],
    'fairness keys': [],
    chronawflow: [],
    control: [],
    'graphile-worker': [],
  };
  const sides: Record<NoisySide, () => Promise<NoisyRun>> = {
    temporal: () => bareSide(scene, 'bareWork', ofA),
    control: () => bareSide(scene, 'bareWork', ofA),
    'fairness keys': () => bareSide(scene, 'fairWork', ofA),
    chronawflow: () => chronawflowSide(scene, ofA),
    'graphile-worker': () => runGraphile(scene, { ofA, ofB: OF_B, slots: NOISY_SLOTS }),
  };
  const names: readonly NoisySide[] = [
    'temporal',
    'chronawflow',
    'control',
    'fairness keys',
    'graphile-worker',
  ];
  for (let round = 0; round < rounds; round += 1) {
    for (const [index] of names.entries()) {
      const name = names[(index + round) % names.length] ?? 'temporal';
      await bench.progress.during(`noisy neighbour, round ${round + 1} of ${rounds}: ${name}`, async () => {
        runs[name].push(await sides[name]());
      });
    }
  }
  return runs;
}

let run = 0;

async function bareSide(scene: JobsScene, workflow: 'bareWork' | 'fairWork', ofA: number): Promise<NoisyRun> {
  run += 1;
  const fair = workflow === 'fairWork';
  // An eager activity takes a free slot past everybody who waits.
  const bare = await scene.startBare(
    NOISY_SLOTS,
    fair ? { maxEagerActivityReservationsPerWorkflowTask: 0 } : {},
  );
  const start = (tenant: string) => (n: number) =>
    scene.client.workflow.start(workflow, {
      workflowId: `noisy/${run}/${tenant}/${n}`,
      taskQueue: bare.taskQueue,
      args: [{ tenant, n }],
      // The workflows' own tasks wait in a queue as well.
      ...(fair ? { priority: { fairnessKey: tenant } } : {}),
    });
  const watching = watch(scene, ofA);
  await inParallel(ofA, start(A));
  await watching.underWay;
  watching.begin();
  await inParallel(OF_B, start(B));
  const result = await watching.over;
  await bare.stop();
  return result;
}

async function chronawflowSide(scene: JobsScene, ofA: number): Promise<NoisyRun> {
  run += 1;
  const { cf, stop } = await scene.startChronawflow(NOISY_SLOTS);
  const submit = async (tenant: string, count: number) => {
    const requests = Array.from({ length: count }, (_, n) => ({
      tenant,
      type: 'work',
      // The workflows of an earlier run's last jobs are still open, on a task queue that has no worker any more.
      key: `${run}-${n}`,
      input: { n },
    }));
    for await (const item of cf.jobs.submitMany(requests))
      if (item.outcome !== 'submitted') throw new Error(`a job was ${item.outcome}`);
  };
  const watching = watch(scene, ofA);
  await submit(A, ofA);
  await watching.underWay;
  watching.begin();
  await submit(B, OF_B);
  const result = await watching.over;
  await stop();
  return result;
}

async function inParallel(count: number, one: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      while (next < count) {
        next += 1;
        await one(next);
      }
    }),
  );
}
