import { z } from 'zod';
import { Chronawflow } from '../../client';
import { defineJob } from '../../core/jobs';
import { inTransaction } from '../../database';
import { CleanUp } from '../support/clean-up';
import { clearQueue, type JobStage, jobConfig, startJobStage, startJobWorker } from '../support/job-stage';
import { until } from '../support/until';

const JOBS = 15;

const post = defineJob({
  type: 'post',
  input: z.object({ name: z.string() }),
  run: (ctx, { name }) =>
    ctx.once('insert', async (tx) => {
      await tx.query('insert into effect values ($1)', [name]);
    }),
});

const cleanUp = new CleanUp();
let stage: JobStage;

beforeAll(async () => {
  stage = await startJobStage();
  cleanUp.add(() => stage.stop());
}, 240_000);
afterAll(() => cleanUp.run());
beforeEach(() => clearQueue(stage));

const request = (key: string) => ({ tenant: 't1', type: 'post', key, input: { name: key } });

const effects = async () =>
  (await stage.app.query<{ name: string }>('select name from effect order by name')).rows.map(
    (row) => row.name,
  );

test('a transaction of the caller’s own submits its jobs with what it writes, or neither', async () => {
  const cf = await Chronawflow.connect({ config: jobConfig(stage), jobs: [post] });
  cleanUp.add(() => cf.close());
  const submitIn = (key: string, fail: boolean) =>
    inTransaction(stage.app, async (tx) => {
      await tx.query('insert into effect values ($1)', [`with ${key}`]);
      await cf.jobs.submit(request(key), { tx });
      if (fail) throw new RangeError('taken back');
    });
  await submitIn('kept', false);
  await expect(submitIn('gone', true)).rejects.toThrow('taken back');
  expect(await effects()).toEqual(['with kept']);
  expect((await cf.jobs.list()).map(({ key }) => key)).toEqual(['kept']);
});

test('while Temporal is away jobs are taken when told so, and a client fails clearly else; nothing is lost or doubled', async () => {
  const config = jobConfig(stage);
  const worker = await startJobWorker(stage, config, [post]);
  cleanUp.add(() => worker.stop());
  const before = await Chronawflow.connect({ config, jobs: [post] });
  cleanUp.add(() => before.close());
  const keys = Array.from({ length: 2 * JOBS }, (_, n) => `k${String(n).padStart(2, '0')}`);
  for (const key of keys.slice(0, JOBS)) await before.jobs.submit(request(key));
  await until(async () => (await effects()).length > 0, { limitMs: 60_000, what: 'the first effect' });
  await stage.temporal.kill();

  await expect(Chronawflow.connect({ config, jobs: [post] })).rejects.toMatchObject({
    code: 'TEMPORAL_UNAVAILABLE',
    retryable: true,
  });
  const cf = await Chronawflow.connect({ config, jobs: [post], whenTemporalIsAway: 'outbox' });
  cleanUp.add(() => cf.close());
  const handles = [];
  for (const key of keys.slice(JOBS)) handles.push(await cf.jobs.submit(request(key)));
  expect(['waiting', 'handed']).toContain((await handles[0]?.status())?.state);
  // What needs Temporal says so, and the client goes on.
  await expect(
    cf.recovery.restoreTenant({ tenant: 't1', to: '1m ago', requestedBy: 'ada' }),
  ).rejects.toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });

  await stage.temporal.start();
  for (const key of keys) await cf.jobs.handle(request(key)).result();
  expect(await effects()).toEqual(keys);
}, 400_000);
