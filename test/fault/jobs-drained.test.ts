import { CleanUp } from '../support/clean-up';
import { type JobFleet, startJobFleet } from '../support/job-fleet';
import { clearQueue } from '../support/job-stage';
import { until } from '../support/until';

/** What workers run has so long to end by itself when they stop; see workers/create-worker.ts. */
const GRACE_MS = 5_000;

let fleet: JobFleet;
let ofTest: CleanUp;
const cleanUp = new CleanUp();

beforeAll(async () => {
  fleet = await startJobFleet({ lease: 60_000, slots: 4, tenantInFlight: 8 });
  cleanUp.add(() => fleet.stop());
}, 240_000);
afterAll(() => cleanUp.run());
beforeEach(async () => {
  await clearQueue(fleet.stage);
  ofTest = new CleanUp();
});
afterEach(() => ofTest.run());

// The lease is longer than each of these tests: a permit that was not given back would hold them up.

test('workers that are told to stop end what they run, and nothing is lost, repeated, or left with a permit', async () => {
  const before = fleet.code.attempts;
  let longestStopMs = 0;
  const workers = await fleet.startWorkers(2, ofTest);
  for (const worker of workers) {
    const begun = fleet.code.attempts;
    // Anew for each: while one worker starts again the other may do all there is.
    await fleet.submitEffects(20, { beforeMs: 200, insideMs: 50, afterMs: 200 });
    await until(() => fleet.code.attempts > begun + 2, { limitMs: 60_000, what: 'jobs to run' });
    const told = performance.now();
    await worker.stop();
    longestStopMs = Math.max(longestStopMs, performance.now() - told);
    await worker.start();
  }
  await until(async () => (await fleet.states()).done === 40, { limitMs: 120_000, what: 'every job' });
  expect(await fleet.effects()).toEqual({ all: 40, distinct: 40 });
  // Only who is held up for the whole grace of a stop leaves what it runs to another one.
  if (longestStopMs < GRACE_MS) expect(fleet.code.attempts - before).toBe(40);
}, 240_000);

test('a job that takes too long for a stopping worker goes to another one at once, and does not count', async () => {
  const [first] = await fleet.startWorkers(1, ofTest);
  const before = fleet.code.attempts;
  await fleet.submitEffects(3, { beforeMs: 600_000, insideMs: 0, afterMs: 0 });
  await until(() => fleet.code.attempts === before + 3, { limitMs: 60_000, what: 'them to run' });
  await first?.stop();
  expect(await fleet.states()).toEqual({ waiting: 3 });
  await until(() => fleet.code.running === 0, { what: 'its connections to be seen closed' });
  await fleet.startWorkers(1, ofTest);
  await until(() => fleet.code.attempts === before + 6, { limitMs: 60_000, what: 'them to run again' });
  const jobs = await fleet.cf.jobs.list();
  expect(jobs.map(({ state, attempts, errors }) => ({ state, attempts, errors }))).toEqual(
    Array.from({ length: 3 }, () => ({ state: 'running', attempts: 1, errors: [] })),
  );
}, 240_000);

test('a batch whose worker is stopped, or killed, goes on with the item after the last one that was done', async () => {
  const { app } = fleet.stage;
  // A chunk takes a second at first: it must not be over before its worker is hurt, however late that is.
  await app.query(
    `create table pace as select 0.1::float8 as seconds;
     create function take_time() returns trigger language plpgsql as
       $$ begin perform pg_sleep(seconds) from pace; return new; end $$;
     create trigger take_time before insert on effect for each row execute function take_time()`,
  );
  const [worker] = await fleet.startWorkers(1, ofTest);
  const ref = { tenant: 't1', type: 'lines', key: 'november' };
  const items = Array.from({ length: 700 }, (_, n) => `line ${n}`);
  const before = fleet.code.attempts;
  const job = await fleet.cf.jobs.submit({ ...ref, input: { items } });
  await until(async () => (await fleet.effects()).all >= 30, { limitMs: 60_000, what: 'a part of it' });
  await worker?.stop();
  const stopped = (await fleet.effects()).all;
  expect(await job.status()).toMatchObject({ state: 'waiting', attempts: 0 });
  await worker?.start();
  await until(async () => (await fleet.effects()).all >= stopped + 30, {
    limitMs: 60_000,
    what: 'more of it',
  });
  await worker?.kill();
  await app.query('update pace set seconds = 0');
  // Its permit would lapse in a minute.
  await app.query(`update chronawflow.job set lease_until = clock_timestamp() where state = 'running'`);
  await worker?.start();
  expect(await job.result()).toMatchObject({ split: 0 });
  expect(await fleet.effects()).toEqual({ all: 700, distinct: 700 });
  // The chunk that the kill met was done again, and no other.
  expect(fleet.code.attempts - before).toBeLessThanOrEqual(71);
}, 240_000);
