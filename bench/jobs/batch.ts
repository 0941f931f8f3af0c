import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import type { Bench } from '../support/run-benchmark';
import { type JobsScene, SLOTS } from './scene';

/** Items per second, round by round. */
export interface BatchRates {
  readonly chronawflow: readonly number[];
  /** One job per item, fetched in batches. */
  readonly graphile: readonly number[];
  /** 100 items in one job, without a record per item. */
  readonly packed: readonly number[];
}

/** Items of one of Chronawflow's batches, and in one of its transactions. */
const ITEMS_PER_JOB = 2_000;
const PACKED = 100;
/** Jobs that graphile-worker's pool fetches at once. */
const FETCHED = 500;

const quiet = new Logger(() => () => undefined);

/** Many small items, one insert each: exactly once by item, once by job, and packed. */
export async function measureBatches(bench: Bench, scene: JobsScene): Promise<BatchRates> {
  const rounds = 3;
  const sizes = bench.quick
    ? { chronawflow: 8_000, graphile: 1_000, packed: 8_000 }
    : { chronawflow: 60_000, graphile: 6_000, packed: 60_000 };
  const rates = { chronawflow: [] as number[], graphile: [] as number[], packed: [] as number[] };
  const sides = {
    chronawflow: await chronawflowSide(scene),
    graphile: await graphileSide(scene, 'one'),
    packed: await graphileSide(scene, 'packed'),
  };
  const names = ['chronawflow', 'graphile', 'packed'] as const;
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index] of names.entries()) {
      const name = names[(index + round) % names.length] ?? 'graphile';
      // The first round is warm-up.
      const items = round === 0 ? Math.ceil(sizes[name] / 10) : sizes[name];
      await bench.progress.during(`batches, round ${round} of ${rounds}: ${name}`, async () => {
        await scene.app.query('truncate bench_effect');
        const began = performance.now();
        await sides[name].run(items);
        const seconds = (performance.now() - began) / 1_000;
        const { rows } = await scene.app.query<{ n: number }>(
          'select count(*)::integer as n from bench_effect',
        );
        if (rows[0]?.n !== items) throw new Error(`${name}: ${rows[0]?.n} effects of ${items} items`);
        if (round > 0) rates[name].push(items / seconds);
      });
    }
  }
  for (const name of names) await sides[name].stop();
  return rates;
}

interface BatchSide {
  /** From the first submission until every item is done. */
  run(items: number): Promise<void>;
  stop(): Promise<void>;
}

let serial = 0;

async function chronawflowSide(scene: JobsScene): Promise<BatchSide> {
  const { cf, stop } = await scene.startChronawflow(SLOTS);
  return {
    run: async (items) => {
      const refs = [];
      for (let at = 0; at < items; at += ITEMS_PER_JOB) {
        serial += 1;
        const count = Math.min(ITEMS_PER_JOB, items - at);
        const ref = { tenant: 't1', type: 'batch', key: `batch ${serial}` };
        await cf.jobs.submit({ ...ref, input: { items: Array.from({ length: count }, (_, n) => at + n) } });
        refs.push(ref);
      }
      await Promise.all(refs.map((ref) => cf.jobs.handle(ref).result()));
    },
    stop,
  };
}

async function graphileSide(scene: JobsScene, kind: 'one' | 'packed'): Promise<BatchSide> {
  const pgPool = scene.stage.postgres.connect('app', 'postgres', SLOTS + 4);
  // graphile-worker asks for it: a connection that breaks is reported by the query that used it.
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  const utils = await makeWorkerUtils({ pgPool, logger: quiet });
  await utils.migrate();
  const runner = await run({
    preset: { worker: { concurrentJobs: SLOTS, completeJobBatchDelay: 0, localQueue: { size: FETCHED } } },
    pgPool,
    logger: quiet,
    noHandleSignals: true,
    taskList: {
      [`item-${kind}`]: async (payload, { withPgClient }) => {
        await withPgClient((client) =>
          client.query('insert into bench_effect (tenant, n) select $1, unnest($2::integer[])', [
            't1',
            Array.isArray(payload) ? payload : [payload],
          ]),
        );
      },
    },
  });
  return {
    run: async (items) => {
      await pgPool.query(
        kind === 'one'
          ? `select graphile_worker.add_job('item-one', to_json(n)) from generate_series(1, $1::integer) n`
          : `select graphile_worker.add_job('item-packed', json_agg(n)) from generate_series(1, $1::integer) n
             group by (n - 1) / ${PACKED}`,
        [items],
      );
      for (;;) {
        const { rows } = await pgPool.query<{ left: number }>(
          'select count(*)::integer as left from graphile_worker._private_jobs',
        );
        if (rows[0]?.left === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    stop: async () => {
      await runner.stop();
      await utils.release();
      // The pool ends with the server; see runGraphile.
    },
  };
}
