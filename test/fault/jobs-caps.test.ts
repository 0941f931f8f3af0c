import { jobWorkflowId } from '../../core/jobs';
import { CleanUp } from '../support/clean-up';
import { type JobFleet, startJobFleet } from '../support/job-fleet';
import type { JobWorkerProcess } from '../support/job-worker-process';
import { until } from '../support/until';

/** CI's size; CHRONAWFLOW_FAULT_KILLS=100 is the full one. */
const KILLS = Number(process.env.CHRONAWFLOW_FAULT_KILLS ?? 4);
const CAP = 5;
/** Longer than a busy machine keeps a process that nobody stopped: its code counts as long as it has its permit. */
const LEASE_MS = 9_000;
/** A pause that keeps the permits. */
const PAUSE_MS = 1_000;
const TENANTS = ['t1', 't2'];
/** Jobs that wait while workers are hurt, at least. */
const WAITING = 30;

let fleet: JobFleet;
const cleanUp = new CleanUp();

beforeAll(async () => {
  fleet = await startJobFleet({
    slots: 6,
    tenantInFlight: CAP,
    lease: LEASE_MS,
    retriesPerMinute: 60_000,
    // Here workers die of the test, not of their jobs.
    quarantine: { kills: 100 },
  });
  cleanUp.add(() => fleet.stop());
}, 300_000);
afterAll(() => cleanUp.run(), 120_000);

let submitted = 0;

/** There is always work for all of them. */
async function keepBusy(): Promise<void> {
  const { waiting = 0 } = await fleet.states();
  if (waiting >= WAITING) return;
  const requests = Array.from({ length: 2 * WAITING }, (_, n) => ({
    tenant: TENANTS[n % TENANTS.length] ?? 't1',
    type: 'effect',
    key: `k${submitted + n}`,
    input: { beforeMs: 150, insideMs: 30, afterMs: 150 },
  }));
  for await (const item of fleet.cf.jobs.submitMany(requests)) expect(item.outcome).toBe('submitted');
  submitted += requests.length;
}

/** Its code goes on: the permit is the attempt's, and not the workflow's. */
async function terminateOne(): Promise<boolean> {
  const [job] = await fleet.cf.jobs.list({ states: ['running'] }, 1);
  if (job === undefined) return false;
  // It may have ended just now.
  return fleet.stage.terminate(jobWorkflowId(job)).then(
    () => true,
    () => false,
  );
}

/** Shorter than the lease: what it runs keeps its permits, and counts. */
async function stopShortly(worker: JobWorkerProcess): Promise<void> {
  const before = fleet.code.attempts;
  worker.signal('SIGSTOP');
  const deadline = Date.now() + PAUSE_MS;
  await until(() => fleet.code.attempts > before + 3 || Date.now() > deadline);
  worker.signal('SIGCONT');
}

/** Longer than the lease: others take its permits, and what it ran is fenced and told when it goes on. */
async function stopLong(worker: JobWorkerProcess): Promise<void> {
  worker.signal('SIGSTOP');
  const ended = fleet.code.disown(worker.pid);
  const lapsed = async () =>
    (
      await fleet.stage.app.query(
        `select from chronawflow.job where state = 'running' and lease_until < clock_timestamp()`,
      )
    ).rowCount ?? 0;
  const deadline = Date.now() + 3 * LEASE_MS;
  await until(async () => (await lapsed()) > 0 || Date.now() > deadline);
  worker.signal('SIGCONT');
  await until(ended, { limitMs: 60_000, what: 'the stopped code to end' });
  // What it runs from now on would not count either.
  await worker.kill();
  await worker.start();
}

test('with four workers that are killed, stopped and continued, and workflows that are terminated, no more code of a tenant runs than its cap, and no permit leaks (invariants 2, 3)', async () => {
  const workers = await fleet.startWorkers(4, cleanUp);
  await keepBusy();
  const began = performance.now();
  const done = { kills: 0, stops: 0, longStops: 0, terminated: 0 };
  while (done.kills < KILLS || done.terminated === 0) {
    // What waits after this look begins after it.
    const before = fleet.code.attempts;
    await keepBusy();
    await until(() => fleet.code.attempts > before, { limitMs: 120_000, what: 'a job to begin' });
    const turn = done.kills;
    const [victim, stopped] = [workers[turn % 4], workers[(turn + 1) % 4]];
    if (await terminateOne()) done.terminated += 1;
    if (turn % 8 === 3 && stopped !== undefined) {
      await stopLong(stopped);
      done.longStops += 1;
    } else if (turn % 2 === 0 && stopped !== undefined) {
      await stopShortly(stopped);
      done.stops += 1;
    }
    await victim?.kill();
    await victim?.start();
    done.kills += 1;
  }
  await until(async () => ((await fleet.states()).done ?? 0) === submitted, {
    limitMs: 300_000,
    what: 'every job to be done',
  });
  expect(await fleet.states()).toEqual({ done: submitted });
  expect(await fleet.effects()).toEqual({ all: submitted, distinct: submitted });
  for (const tenant of TENANTS) expect(fleet.code.most.get(tenant)).toBeLessThanOrEqual(CAP);
  expect(done.terminated).toBeGreaterThan(0);

  // Every permit is there to be taken: the cap is reached at once.
  const left = fleet.code.attempts;
  const last = Array.from({ length: CAP }, (_, n) => ({
    tenant: 't1',
    type: 'effect',
    key: `last ${n}`,
    input: { beforeMs: 600_000, insideMs: 0, afterMs: 0 },
  }));
  for await (const item of fleet.cf.jobs.submitMany(last)) expect(item.outcome).toBe('submitted');
  await until(() => fleet.code.attempts >= left + CAP && fleet.code.running === CAP, {
    limitMs: 120_000,
    what: 'as many to run as the cap allows',
  });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  process.stdout.write(
    `${submitted} jobs, 4 workers, ${done.kills} kills, ${done.stops} short and ${done.longStops} long stops, ` +
      `${done.terminated} workflows terminated: at most ${Math.max(...fleet.code.most.values())} of ${CAP} of a tenant ` +
      `at once, ${submitted} effects, no permit left, ${seconds} s\n`,
  );
}, 1_800_000);
