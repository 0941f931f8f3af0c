import { CleanUp } from '../support/clean-up';
import { type JobFleet, startJobFleet } from '../support/job-fleet';
import { until } from '../support/until';

let fleet: JobFleet;
const cleanUp = new CleanUp();

beforeAll(async () => {
  fleet = await startJobFleet({ lease: 10_000, retriesPerMinute: 60_000, quarantine: { kills: 1 } });
  cleanUp.add(() => fleet.stop());
}, 240_000);
afterAll(() => cleanUp.run());

test('a job that kills its process is held back; those that ran beside it are done, once (invariant 12)', async () => {
  const { cf, code } = fleet;
  const poison = { tenant: 't9', type: 'poison', key: 'p' };
  await fleet.submitEffects(6, { beforeMs: 400, insideMs: 50, afterMs: 200 });
  await cf.jobs.submit({ ...poison, input: null });
  code.beginTogether(7);
  const [worker] = await fleet.startWorkers(1, cleanUp);
  const deaths: number[] = [];
  const held = async () => (await cf.jobs.handle(poison).status()).held;
  await until(
    async () => {
      // As a supervisor does.
      if (worker?.gone) {
        deaths.push(code.attempts);
        await worker.start();
      }
      return (await held()) !== undefined && (await fleet.states()).done === 6;
    },
    { limitMs: 200_000, what: 'the poison to be held and the others to be done' },
  );
  expect(await held()).toMatchObject({
    reason: expect.stringContaining('died once while it ran alone'),
    by: 'chronawflow',
  });
  expect(await fleet.effects()).toEqual({ all: 6, distinct: 6 });
  expect(await cf.jobs.dead()).toEqual([]);
  // Once beside the others, then alone; they all were with it, and ran alone as well afterwards.
  const runs = code.begun.filter((run) => run.tenant === 't9');
  expect(runs).toHaveLength(2);
  expect(runs[0]?.beside).toBe(6);
  expect(runs.slice(1).map((run) => run.beside)).toEqual([0]);
  expect(code.begun.slice(deaths[0]).every((run) => run.beside === 0)).toBe(true);
  // Nothing of it is lost: it is visible until somebody decides.
  expect(await cf.jobs.holds()).toMatchObject([poison]);
  await cf.jobs.handle(poison).cancel();
  expect(await cf.jobs.handle(poison).status()).toMatchObject({ state: 'cancelled' });
}, 300_000);
