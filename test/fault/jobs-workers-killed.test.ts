import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { Chronawflow } from '../../client';
import { parseConfig } from '../../config';
import { defineJob, JobConsumer, jobsByType, type LeasedJob } from '../../core/jobs';
import { findEnd } from '../../core/jobs/store/find-end';
import { packageRoot } from '../../core/local-stack';
import { CleanUp } from '../support/clean-up';
import { clearQueue, type JobStage, rawJobConfig, startJobStage } from '../support/job-stage';
import { JobWorkerProcess } from '../support/job-worker-process';
import { ensureBuilt } from '../support/restore-stage-worker';
import { countedJobModule, RunningCode } from '../support/running-code';
import { startToxiproxy, type ToxicProxy, type Toxiproxy } from '../support/toxiproxy';
import { until } from '../support/until';

/** CI's size; CHRONAWFLOW_FAULT_JOBS=2000 is the full one. */
const JOBS = Number(process.env.CHRONAWFLOW_FAULT_JOBS ?? 120);
const KILLS = Math.max(6, Math.round(JOBS / 20));
const TENANTS = ['t1', 't2', 't3'];
const CAP = 4;
const LEASE_MS = 3_000;

/** The jobs run in the workers; here they are only submitted. */
const submitted = defineJob({
  type: 'effect',
  input: z.object({ beforeMs: z.number(), insideMs: z.number(), afterMs: z.number() }),
  run: async () => null,
});

const cleanUp = new CleanUp();
let workersOfTest: CleanUp;
let stage: JobStage;
let cf: Chronawflow;
let configFile: string;
let code: RunningCode;
let toxiproxy: Toxiproxy;
/** The workers' only way to the application's database. */
let database: ToxicProxy;

beforeAll(async () => {
  await ensureBuilt();
  toxiproxy = await startToxiproxy();
  cleanUp.add(() => toxiproxy.stop());
  stage = await startJobStage({ tcp: true });
  cleanUp.add(() => stage.stop());
  database = await toxiproxy.proxy(`127.0.0.1:${stage.postgres.port}`);
  const directory = await mkdtemp(join(tmpdir(), 'cf-jobs-'));
  cleanUp.add(() => rm(directory, { recursive: true }));
  code = new RunningCode();
  const socket = join(directory, 'running.sock');
  await code.listen(socket);
  cleanUp.add(() => code.close());
  await writeFile(
    join(directory, 'jobs.cjs'),
    countedJobModule({
      entry: join(packageRoot(), 'dist', 'client', 'job-types.js'),
      zod: join(packageRoot(), 'node_modules', 'zod'),
      socket,
    }),
  );
  configFile = join(directory, 'chronawflow.yaml');
  const jobs = {
    modules: ['jobs.cjs'],
    slots: 10,
    tenantInFlight: CAP,
    lease: LEASE_MS,
    retriesPerMinute: 60_000,
  };
  await writeFile(configFile, stringify(rawJobConfig(stage, jobs, 'fault', database)));
  // The submitter has a way of its own: this is about workers.
  const config = parseConfig(JSON.stringify(rawJobConfig(stage, { ...jobs, modules: [] }, 'fault')), {
    file: configFile,
    env: {},
  });
  cf = await Chronawflow.connect({ config, jobs: [submitted] });
  cleanUp.add(() => cf.close());
}, 240_000);
afterAll(() => cleanUp.run());
beforeEach(async () => {
  await clearQueue(stage);
  workersOfTest = new CleanUp();
});
afterEach(async () => {
  await workersOfTest.run();
  await database.enable();
});

const REF = { tenant: 't1', type: 'effect', key: 'k0' };

async function startWorkers(count: number): Promise<JobWorkerProcess[]> {
  const workers = Array.from({ length: count }, () => new JobWorkerProcess(configFile));
  for (const worker of workers) workersOfTest.add(() => worker.kill());
  await Promise.all(workers.map((worker) => worker.start()));
  return workers;
}

async function submit(count: number, input: object): Promise<void> {
  const requests = Array.from({ length: count }, (_, n) => ({
    tenant: TENANTS[n % TENANTS.length] ?? 't1',
    type: 'effect',
    key: `k${n}`,
    input,
  }));
  for await (const item of cf.jobs.submitMany(requests)) expect(item.outcome).toBe('submitted');
}

const states = async () =>
  Object.fromEntries(
    (
      await stage.app.query<{ state: string; count: number }>(
        'select state, count(*)::integer as count from chronawflow.job group by state',
      )
    ).rows.map((row) => [row.state, row.count]),
  );

const effects = async () =>
  (
    await stage.app.query<{ all: number; distinct: number }>(
      'select count(*)::integer as all, count(distinct name)::integer as distinct from effect',
    )
  ).rows[0];

/** Every connection of the workers is reset, in the middle of whatever it does; new ones are taken at once. */
async function cutConnections(): Promise<void> {
  await database.disable();
  await database.enable();
}

test('effects equal jobs while workers are killed at random and connections are cut; caps hold, no permit leaks', async () => {
  const workers = await startWorkers(3);
  await submit(JOBS, { beforeMs: 100, insideMs: 30, afterMs: 100 });
  const began = performance.now();
  let kills = 0;
  let cuts = 0;
  while (kills < KILLS && ((await states()).done ?? 0) < JOBS) {
    const before = code.attempts;
    await until(() => code.attempts > before, { limitMs: 60_000, what: 'a job to begin' });
    if (kills % 2 === 0) {
      await cutConnections();
      cuts += 1;
    }
    const victim = workers[kills % workers.length];
    await victim?.kill();
    await victim?.start();
    kills += 1;
  }
  await until(async () => ((await states()).done ?? 0) === JOBS, {
    limitMs: 240_000,
    what: 'every job to be done',
  });
  expect(kills).toBeGreaterThan(1);
  const seconds = (performance.now() - began) / 1_000;
  expect(await states()).toEqual({ done: JOBS });
  expect(await effects()).toEqual({ all: JOBS, distinct: JOBS });
  for (const tenant of TENANTS) expect(code.most.get(tenant)).toBeLessThanOrEqual(CAP);
  expect(Math.max(...code.most.values())).toBeGreaterThan(1);
  process.stdout.write(
    `${JOBS} jobs, ${kills} workers killed, connections cut ${cuts} times: ${code.attempts} attempts, ` +
      `${JOBS} effects, at most ${Math.max(...code.most.values())} of a tenant at once, ${seconds.toFixed(0)} s\n`,
  );
}, 400_000);

test('a database that is away for a while loses nothing and doubles nothing', async () => {
  await startWorkers(1);
  await submit(30, { beforeMs: 300, insideMs: 100, afterMs: 300 });
  await until(async () => code.running > 0 && ((await states()).done ?? 0) > 0, { limitMs: 60_000 });
  const before = code.attempts;
  await database.disable();
  // Longer than the lease: attempts that ran have lost their permits.
  await until(async () => (await lapsed()) > 0, { limitMs: 60_000, what: 'permits to lapse' });
  await database.enable();
  await until(async () => (await states()).done === 30, { limitMs: 120_000, what: 'every job to be done' });
  expect(await effects()).toEqual({ all: 30, distinct: 30 });
  expect(code.attempts).toBeGreaterThan(before);
}, 240_000);

const lapsed = async () =>
  (
    await stage.app.query(
      `select from chronawflow.job where state = 'running' and lease_until < clock_timestamp()`,
    )
  ).rowCount ?? 0;

test('a worker that is stopped beyond its lease cannot commit what it began (invariants 3, 4)', async () => {
  const [first] = await startWorkers(1);
  const consumer = new JobConsumer({
    pool: stage.app,
    config: cf.config.jobs,
    jobs: jobsByType([submitted]),
    log: { info: () => undefined, warn: () => undefined },
  });
  workersOfTest.add(() => consumer.close());
  // Long inside its transaction: the worker is stopped there.
  await submit(1, { beforeMs: 0, insideMs: 2_000, afterMs: 0 });
  const inTransaction = async () =>
    (
      await stage.app.query(
        `select from pg_stat_activity where application_name = 'chronawflow jobs' and state = 'idle in transaction'
           and query like 'insert into effect%'`,
      )
    ).rowCount === 1;
  await until(inTransaction, { what: 'the step to be under way' });
  first?.signal('SIGSTOP');
  await until(async () => (await lapsed()) === 1, { limitMs: 60_000, what: 'its permit to lapse' });
  // Another attempt, by a consumer in this process: Temporal would first have to find out which worker is stopped.
  await findEnd(stage.app, REF, { retry: submitted.policy.retry, retriesPerMinute: 60_000 });
  let second: LeasedJob | undefined;
  await until(async () => {
    [second] = await consumer.dequeue();
    return second !== undefined;
  });
  await second?.once('insert', async (tx) => {
    await tx.query('insert into effect values ($1)', [REF.key]);
  });
  await second?.acknowledge();
  expect(await effects()).toEqual({ all: 1, distinct: 1 });
  const before = code.running;
  first?.signal('SIGCONT');
  await until(() => code.running < before || before === 0, { what: 'the stopped code to end' });
  expect(await states()).toEqual({ done: 1 });
  expect(await effects()).toEqual({ all: 1, distinct: 1 });
}, 240_000);
