import { setTimeout as sleep } from 'node:timers/promises';
import { JobConsumer, jobsByType, type LeasedJob } from '../../core/jobs';
import { findEnd } from '../../core/jobs/store/find-end';
import { CleanUp } from '../support/clean-up';
import { EFFECT, type JobFleet, startJobFleet } from '../support/job-fleet';
import { clearQueue } from '../support/job-stage';
import { startToxiproxy, type ToxicProxy, type Toxiproxy } from '../support/toxiproxy';
import { until } from '../support/until';

/** CI's size; CHRONAWFLOW_FAULT_JOBS=2000 is the full one. */
const JOBS = Number(process.env.CHRONAWFLOW_FAULT_JOBS ?? 120);
/** How long the database is away at least, in milliseconds; the full size is 60000. CI waits until permits have lapsed. */
const OUTAGE_MS = Number(process.env.CHRONAWFLOW_FAULT_OUTAGE_MS ?? 0);
const KILLS = Math.max(6, Math.round(JOBS / 20));
const TENANTS = ['t1', 't2', 't3'];
const CAP = 4;
/** Longer than a busy machine keeps a process that nobody stopped: its code counts as long as it has its permit. */
const LEASE_MS = 9_000;

const cleanUp = new CleanUp();
let workersOfTest: CleanUp;
let fleet: JobFleet;
let toxiproxy: Toxiproxy;
/** The workers' only way to the application's database. */
let database: ToxicProxy;

beforeAll(async () => {
  toxiproxy = await startToxiproxy();
  cleanUp.add(() => toxiproxy.stop());
  const jobs = {
    slots: 10,
    tenantInFlight: CAP,
    lease: LEASE_MS,
    retriesPerMinute: 60_000,
    // Here workers die of the test, not of their jobs.
    quarantine: { kills: 100 },
  };
  fleet = await startJobFleet(jobs, async (stage) => {
    database = await toxiproxy.proxy(`127.0.0.1:${stage.postgres.port}`);
    return database;
  });
  cleanUp.add(() => fleet.stop());
}, 300_000);
afterAll(() => cleanUp.run(), 120_000);
beforeEach(async () => {
  await clearQueue(fleet.stage);
  workersOfTest = new CleanUp();
});
afterEach(async () => {
  await workersOfTest.run();
  await database.enable();
}, 240_000);

const startWorkers = (count: number) => fleet.startWorkers(count, workersOfTest);
const states = () => fleet.states();
const effects = () => fleet.effects();

/** Every connection of the workers is reset, in the middle of whatever it does; new ones are taken at once. */
async function cutConnections(): Promise<void> {
  await database.disable();
  await database.enable();
}

test(
  'effects equal jobs while workers are killed at random and connections are cut; caps hold, no permit leaks',
  async () => {
    const workers = await startWorkers(3);
    const input = { beforeMs: 100, insideMs: 30, afterMs: 100 };
    await fleet.submitEffects(JOBS, input);
    const began = performance.now();
    let jobs = JOBS;
    let kills = 0;
    let cuts = 0;
    while (kills < KILLS) {
      // What waits after this look begins after it.
      const before = fleet.code.attempts;
      if (((await states()).waiting ?? 0) === 0) {
        await fleet.submitEffects(TENANTS.length, input);
        jobs += TENANTS.length;
      }
      await until(() => fleet.code.attempts > before, { limitMs: 60_000, what: 'a job to begin' });
      if (kills % 2 === 0) {
        await cutConnections();
        cuts += 1;
      }
      const victim = workers[kills % workers.length];
      await victim?.kill();
      await victim?.start();
      kills += 1;
    }
    await until(async () => ((await states()).done ?? 0) === jobs, {
      limitMs: 240_000 + JOBS * 200,
      what: 'every job to be done',
    });
    const seconds = (performance.now() - began) / 1_000;
    expect(await states()).toEqual({ done: jobs });
    expect(await effects()).toEqual({ all: jobs, distinct: jobs });
    for (const tenant of TENANTS) expect(fleet.code.most.get(tenant)).toBeLessThanOrEqual(CAP);
    expect(Math.max(...fleet.code.most.values())).toBeGreaterThan(1);
    process.stdout.write(
      `${jobs} jobs, ${kills} workers killed, connections cut ${cuts} times: ${fleet.code.attempts} attempts, ` +
        `${jobs} effects, at most ${Math.max(...fleet.code.most.values())} of a tenant at once, ${seconds.toFixed(0)} s\n`,
    );
  },
  600_000 + JOBS * 600,
);

test(
  'a database that is away for a while loses nothing and doubles nothing',
  async () => {
    await startWorkers(1);
    // One tenant's attempts stand there until the database is back, whatever becomes of the others' before it goes.
    const held = fleet.code.hold('t3');
    await fleet.submitEffects(30, { beforeMs: 300, insideMs: 100, afterMs: 300 });
    await until(async () => held.waiting() > 0 && ((await states()).done ?? 0) > 0, { limitMs: 120_000 });
    const before = fleet.code.attempts;
    await database.disable();
    const began = performance.now();
    // Longer than the lease: attempts that ran have lost their permits.
    await until(async () => (await lapsed()) > 0, { limitMs: 60_000, what: 'permits to lapse' });
    await sleep(Math.max(0, began + OUTAGE_MS - performance.now()));
    const seconds = (performance.now() - began) / 1_000;
    await database.enable();
    held.release();
    await until(async () => (await states()).done === 30, { limitMs: 180_000, what: 'every job to be done' });
    expect(await effects()).toEqual({ all: 30, distinct: 30 });
    expect(fleet.code.attempts).toBeGreaterThan(before);
    process.stdout.write(
      `database away for ${seconds.toFixed(0)} s: 30 jobs, 30 effects, ${fleet.code.attempts - before} attempts after it was cut\n`,
    );
  },
  480_000 + OUTAGE_MS,
);

const lapsed = async () =>
  (
    await fleet.stage.app.query(
      `select from chronawflow.job where state = 'running' and lease_until < clock_timestamp()`,
    )
  ).rowCount ?? 0;

test('a worker that is stopped beyond its lease cannot commit what it began (invariants 3, 4)', async () => {
  const [first] = await startWorkers(1);
  const consumer = new JobConsumer({
    pool: fleet.stage.app,
    // What it takes in the end is not to lapse.
    config: { ...fleet.cf.config.jobs, lease: 120_000 },
    jobs: jobsByType([EFFECT]),
    log: { info: () => undefined, warn: () => undefined },
  });
  workersOfTest.add(() => consumer.close());
  // Long inside its transaction: the worker is stopped there.
  const [job] = await fleet.submitEffects(1, { beforeMs: 0, insideMs: 10_000, afterMs: 0 });
  if (job === undefined) throw new Error('no job was submitted');
  const inTransaction = async () =>
    (
      await fleet.stage.app.query(
        `select from pg_stat_activity where application_name = 'chronawflow jobs' and state = 'idle in transaction'
           and query like 'insert into effect%'`,
      )
    ).rowCount === 1;
  await until(inTransaction, { limitMs: 60_000, what: 'the step to be under way' });
  first?.signal('SIGSTOP');
  await until(async () => (await lapsed()) === 1, { limitMs: 60_000, what: 'its permit to lapse' });
  // Another attempt, by a consumer in this process: Temporal would first have to find out which worker is stopped.
  await findEnd(fleet.stage.app, job, {
    retry: EFFECT.policy.retry,
    retriesPerMinute: 60_000,
    process: 'this test',
    killsAlone: 3,
  });
  let second: LeasedJob | undefined;
  await until(async () => {
    [second] = await consumer.dequeue();
    return second !== undefined;
  });
  await second?.once('insert', async (tx) => {
    await tx.query('insert into effect values ($1)', [job.key]);
  });
  await second?.acknowledge();
  expect(await effects()).toEqual({ all: 1, distinct: 1 });
  const before = fleet.code.running;
  first?.signal('SIGCONT');
  await until(() => fleet.code.running < before || before === 0, {
    limitMs: 120_000,
    what: 'the stopped code to end',
  });
  expect(await states()).toEqual({ done: 1 });
  expect(await effects()).toEqual({ all: 1, distinct: 1 });
}, 480_000);
