import type { Chronawflow } from '../../client';
import type { Bench } from '../support/run-benchmark';
import { median } from '../support/statistics.pure';
import { type JobsScene, type Side, SLOTS } from './scene';

/** Jobs or workflows under way at once on either side: enough that the server is what limits. */
const OUTSTANDING = 24;

/** Rates of one comparison in items per second, round by round. */
export interface Rates {
  readonly bare: readonly number[];
  /** The bare side again: how far apart two equal sides are. */
  readonly control: readonly number[];
  readonly job: readonly number[];
}

export interface Overhead {
  readonly nothing: Rates;
  readonly insert: Rates;
}

/** Median of the ratios of each round: what slows the machine for a while slows both sides of a round. */
export function ratio(of: readonly number[], to: readonly number[]): number {
  return median(of.map((rate, round) => rate / (to[round] ?? Number.NaN)));
}

/** A job beside a workflow with one activity: nothing in it, and one insert in it. */
export async function measureOverhead(bench: Bench, scene: JobsScene): Promise<Overhead> {
  const rounds = bench.quick ? 3 : 10;
  const items = bench.quick ? 80 : 120;
  const bare = await scene.startBare(SLOTS);
  const { cf, ...side } = await scene.startChronawflow(SLOTS);
  const measure = async (what: 'nothing' | 'insert'): Promise<Rates> => {
    const rates = { bare: [] as number[], control: [] as number[], job: [] as number[] };
    const run = {
      bare: () => rateOf(items, bareItem(scene, bare, what)),
      control: () => rateOf(items, bareItem(scene, bare, what)),
      job: () => rateOf(items, jobItem(cf, what)),
    };
    const names = ['bare', 'job', 'control'] as const;
    // The first of each is warm-up.
    for (const name of names) await run[name]();
    for (let round = 0; round < rounds; round += 1) {
      await bench.progress.during(`${what}, round ${round + 1} of ${rounds}`, async () => {
        const order = names.map((_, index) => names[(index + round) % names.length] ?? 'bare');
        for (const name of order) rates[name].push(await run[name]());
      });
    }
    return rates;
  };
  const result = { nothing: await measure('nothing'), insert: await measure('insert') };
  await Promise.all([bare.stop(), side.stop()]);
  return result;
}

let serial = 0;

function bareItem(scene: JobsScene, { taskQueue }: Side, what: 'nothing' | 'insert') {
  const workflow = what === 'nothing' ? 'bareNothing' : 'bareInsert';
  return async () => {
    serial += 1;
    await scene.client.workflow.execute(workflow, {
      workflowId: `bare/t1/${what}/${serial}`,
      taskQueue,
      args: [{ tenant: 't1', n: serial }],
    });
  };
}

function jobItem(cf: Chronawflow, type: 'nothing' | 'insert') {
  return async () => {
    serial += 1;
    const job = await cf.jobs.submit({ tenant: 't1', type, key: `k${serial}`, input: { n: serial } });
    await job.result();
  };
}

/** Items per second, from the first submission to the last result. */
async function rateOf(items: number, one: () => Promise<void>): Promise<number> {
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: OUTSTANDING }, async () => {
      while (next < items) {
        next += 1;
        await one();
      }
    }),
  );
  return items / ((performance.now() - began) / 1_000);
}
