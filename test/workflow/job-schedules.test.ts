import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import type { Chronawflow, JobScheduleState } from '../../client';
import { defineJob, jobScheduleId, scheduledKey } from '../../core/jobs';
import { CleanUp } from '../support/clean-up';
import { type JobStage, openJobScene, startJobStage } from '../support/job-stage';
import { until } from '../support/until';

const report = defineJob({
  type: 'report',
  input: z.object({ kind: z.string() }),
  run: (ctx, { kind }) =>
    ctx.once('insert', async (tx) => {
      await tx.query('insert into effect values ($1)', [`${kind} ${ctx.key}`]);
    }),
});

let stage: JobStage;
const cleanUp = new CleanUp();
let cf: Chronawflow;
let client: Client;

beforeAll(async () => {
  stage = await startJobStage();
  cleanUp.add(() => stage.stop());
  const connection = await Connection.connect({ address: stage.temporal.address });
  cleanUp.add(() => connection.close());
  client = new Client({ connection });
  ({ cf } = await openJobScene(stage, cleanUp, [report]));
}, 240_000);
afterAll(() => cleanUp.run());
afterEach(async () => {
  for (const { tenant, name } of await cf.jobs.schedules.list()) await cf.jobs.schedules.remove(tenant, name);
  await stage.app.query('truncate effect, chronawflow.job, chronawflow.idempotency');
});

const daily = { tenant: 't1', name: 'daily', type: 'report', input: { kind: 'day' } };

/** Of one schedule: runs of another one that was removed may still come to theirs. */
const effects = async (schedule: string) =>
  (
    await stage.app.query<{ name: string }>(
      `select name from effect where split_part(split_part(name, ' ', 2), '/', 1) = $1 order by name`,
      [schedule],
    )
  ).rows.map((row) => row.name);

/** Lets the schedule take the actions of a time that has passed, as a server that was away would. */
const backfill = (name: string, start: string, end: string) =>
  client.schedule
    .getHandle(jobScheduleId('t1', name))
    .backfill({ start: new Date(start), end: new Date(end), overlap: 'ALLOW_ALL' });

/** The list lags behind a little. */
async function listed(tenant?: string): Promise<readonly JobScheduleState[]> {
  let found: readonly JobScheduleState[] = [];
  await until(
    async () => {
      found = await cf.jobs.schedules.list(tenant);
      return found.length === 1;
    },
    { what: 'the schedule to be listed' },
  );
  return found;
}

test('a schedule submits a job for each of its times, and none while it is paused', async () => {
  await cf.jobs.schedule({ ...daily, name: 'often', every: '1s', jitter: '100ms' });
  await until(async () => (await effects('often')).length >= 2, { limitMs: 60_000, what: 'two runs' });
  await cf.jobs.schedules.pause('t1', 'often', 'the bank is closed');
  expect(await listed('t1')).toMatchObject([
    {
      name: 'often',
      type: 'report',
      everyMs: 1_000,
      jitterMs: 100,
      paused: true,
      note: 'the bank is closed',
    },
  ]);
  expect(await cf.jobs.schedules.list('t2')).toEqual([]);
  const names = await effects('often');
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^day often\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('a time that is repeated is the same job; times follow the zone’s own clock', async () => {
  const plan = { ...daily, name: 'nightly', cron: '30 3 * * *', timeZone: 'Europe/Berlin', catchUp: '6h' };
  await cf.jobs.schedule(plan);
  // Summer time began there on 29 March 2026.
  for (let n = 0; n < 2; n += 1) await backfill('nightly', '2026-03-27T12:00:00Z', '2026-03-30T12:00:00Z');
  const expected = ['2026-03-28T02:30:00Z', '2026-03-29T01:30:00Z', '2026-03-30T01:30:00Z'];
  await until(async () => (await effects('nightly')).length === 3, { limitMs: 60_000, what: 'three days' });
  expect(await effects('nightly')).toEqual(expected.map((at) => `day nightly/${at}`));
  expect(await listed('t1')).toMatchObject([
    { cron: '30 3 * * *', timeZone: 'Europe/Berlin', catchUpMs: 6 * 3_600_000, paused: false },
  ]);
  expect(scheduledKey('nightly', '2026-03-28T02:30:00.000Z')).toBe(`nightly/${expected[0]}`);
  await until(async () => {
    const [state] = await cf.jobs.schedules.list('t1');
    return state?.nextRuns.every((at) => /T0[12]:30:00/.test(at)) ?? false;
  });
});

test('setting it again changes it and leaves its pause; removing it leaves its jobs', async () => {
  await cf.jobs.schedule({ ...daily, every: '1h' });
  await cf.jobs.schedules.pause('t1', 'daily', 'not yet');
  await cf.jobs.schedule({ ...daily, every: '2h', input: { kind: 'other' } });
  expect(await listed()).toMatchObject([{ everyMs: 7_200_000, paused: true }]);
  await cf.jobs.schedules.resume('t1', 'daily');
  await backfill('daily', '2026-03-27T01:00:00Z', '2026-03-27T03:00:00Z');
  await until(async () => (await effects('daily')).length === 1, { limitMs: 60_000, what: 'its run' });
  await cf.jobs.schedules.remove('t1', 'daily');
  expect(await cf.jobs.schedules.list()).toEqual([]);
  expect(await effects('daily')).toEqual(['other daily/2026-03-27T02:00:00Z']);
});

test.each([
  ['a name that cannot be one', { name: 'a/b', every: '1h' }, 'INVALID_INPUT'],
  ['neither cron nor every', {}, 'INVALID_INPUT'],
  ['both of them', { cron: '0 3 * * *', every: '1h' }, 'INVALID_INPUT'],
  ['half a second', { every: '500ms' }, 'INVALID_INPUT'],
  ['a cron expression that is none', { cron: 'every day' }, 'INVALID_INPUT'],
  ['a time zone that is none', { cron: '0 3 * * *', timeZone: 'Europe/Atlantis' }, 'INVALID_INPUT'],
  ['an input that its type does not take', { every: '1h', input: { kind: 1 } }, 'INVALID_INPUT'],
  ['an unknown type', { every: '1h', type: 'reprot' }, 'UNKNOWN_JOB_TYPE'],
  ['an unknown tenant', { every: '1h', tenant: 'nobody' }, 'UNKNOWN_TENANT'],
])('%s is told when the schedule is set, and nothing is', async (_, wrong, code) => {
  await expect(cf.jobs.schedule({ ...daily, ...wrong })).rejects.toMatchObject({ code });
  expect(await cf.jobs.schedules.list()).toEqual([]);
});

test('a schedule that is not there cannot be paused or removed', async () => {
  await expect(cf.jobs.schedules.pause('t1', 'none', 'x')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(cf.jobs.schedules.remove('t1', 'none')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});
