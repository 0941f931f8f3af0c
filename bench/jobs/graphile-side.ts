import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import type { JobsScene } from './scene';
import { type NoisyRun, watch } from './watch-neighbour';

const quiet = new Logger(() => () => undefined);

/** The noisy neighbour on graphile-worker: its jobs are taken in the order of their priority, then of their time. */
export async function runGraphile(
  scene: JobsScene,
  { ofA, ofB, slots }: { readonly ofA: number; readonly ofB: number; readonly slots: number },
): Promise<NoisyRun> {
  const pgPool = scene.stage.postgres.connect('app', 'postgres', slots + 2);
  // graphile-worker asks for it: a connection that breaks is reported by the query that used it.
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  const utils = await makeWorkerUtils({ pgPool, logger: quiet });
  await utils.migrate();
  await pgPool.query('delete from graphile_worker._private_jobs');
  const add = (tenant: string, count: number) =>
    pgPool.query(
      `select graphile_worker.add_job('work', json_build_object('tenant', $1::text, 'n', n))
       from generate_series(1, $2::integer) n`,
      [tenant, count],
    );
  const watching = watch(scene, ofA);
  await add('t1', ofA);
  const runner = await run({
    pgPool,
    logger: quiet,
    concurrency: slots,
    noHandleSignals: true,
    taskList: {
      work: async (payload) => {
        await new Promise((resolve) => setTimeout(resolve, scene.shared.workMs));
        scene.shared.onWorked(tenantOf(payload));
      },
    },
  });
  await watching.underWay;
  watching.begin();
  await add('t2', ofB);
  const result = await watching.over;
  await pgPool.query('delete from graphile_worker._private_jobs where locked_at is null');
  await runner.stop();
  await utils.release();
  // The pool ends with the server: the runner does not wait for its last completions, which retry and then fail for nobody
  // to catch.
  return result;
}

function tenantOf(payload: unknown): string {
  return typeof payload === 'object' && payload !== null ? String(Reflect.get(payload, 'tenant')) : '';
}
