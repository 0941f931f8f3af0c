import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, ScheduleClient } from '@temporalio/client';
import { z } from 'zod';
import { Chronawflow } from '../../client';
import type { Config } from '../../config';
import { defineJob, jobScheduleId, jobWorkflowId } from '../../core/jobs';
import { createPayloadCodec } from '../../core/payload-codec';
import { CleanUp } from '../support/clean-up';
import { type JobStage, openJobScene, startJobStage } from '../support/job-stage';
import { makeKeyFile } from '../support/payload-keys';
import { until } from '../support/until';

const wait = defineJob({
  type: 'wait',
  input: z.object({ name: z.string() }),
  run: async (ctx, { name }) => {
    await ctx.once('begun', async (tx) => {
      await tx.query('insert into effect values ($1)', [`${ctx.tenant} ${name}`]);
    });
    if (name !== 'short')
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
  },
});

const nightly = { name: 'nightly', type: 'wait', input: { name: 'short' }, cron: '0 3 29 2 *' };

let stage: JobStage;
let cf: Chronawflow;
let config: Config;
const cleanUp = new CleanUp();

beforeAll(async () => {
  stage = await startJobStage({ encrypted: true });
  cleanUp.add(() => stage.stop());
  const payloads = {
    keyEncryptionKeys: [await makeKeyFile(stage.temporal.directory, 'first')],
    keyCache: '500ms',
  };
  ({ cf, config } = await openJobScene(stage, cleanUp, [wait], {}, { payloads }));
});
afterAll(() => cleanUp.run());
afterEach(() => jest.restoreAllMocks());

const begun = async (name: string) =>
  ((await stage.app.query('select 1 from effect where name = $1', [name])).rowCount ?? 0) > 0;

test('destroying a tenant’s keys ends its runs first and makes its histories unreadable; other tenants’ go on', async () => {
  const job = { tenant: 't1', type: 'wait', key: 'long' };
  await cf.jobs.submit({ ...job, input: { name: 'long' } });
  await cf.jobs.submit({ ...job, tenant: 't2', input: { name: 'long' } });
  await cf.jobs.schedule({ ...nightly, tenant: 't1' });
  await until(async () => (await begun('t1 long')) && (await begun('t2 long')), { limitMs: 60_000 });
  const ids = ['t1', 't2'].map((tenant) => jobWorkflowId({ ...job, tenant }));
  const [id = '', other = ''] = ids;
  expect(await inputOf(id)).toContain('"tenant":"t1"');

  const report = await cf.keys.destroy({
    tenant: 't1',
    reason: 'contract ended',
    as: 'grace',
    graceMs: 10_000,
  });
  expect(report).toMatchObject({ tenant: 't1', owner: 't1', keys: 1, runsEnded: 1 });
  expect((await stage.describe(id)).status.name).not.toBe('RUNNING');
  expect(await isScheduled('t1')).toBe(false);
  await expect(inputOf(id)).rejects.toMatchObject({ code: 'PAYLOAD_KEY_DESTROYED' });

  expect(await inputOf(other)).toContain('"tenant":"t2"');
  expect((await stage.describe(other)).status.name).toBe('RUNNING');
  const { rows } = await stage.platform.query(
    `select action, actor, reason from chronawflow.audit_event where tenant = 't1' and action like 'payload-keys.%' order by at`,
  );
  expect(rows).toEqual([
    { action: 'payload-keys.close', actor: 'grace', reason: 'contract ended' },
    { action: 'payload-keys.destroy', actor: 'grace', reason: 'contract ended' },
  ]);
});

test('a destroyed tenant stays destroyed: it gets no new key, and a second time is told so', async () => {
  await expect(cf.jobs.schedule({ ...nightly, tenant: 't1', name: 'again' })).rejects.toMatchObject({
    code: 'PAYLOAD_KEY_DESTROYED',
  });
  await expect(cf.keys.destroy({ tenant: 't1', reason: 'again' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
  await expect(
    stage.platform.query(`update chronawflow.payload_owner set state = 'active' where owner = 't1'`),
  ).rejects.toThrow('were destroyed');
});

test('a schedule that no list shows yet goes with the keys', async () => {
  await cf.jobs.schedule({ ...nightly, tenant: 't3' });
  expect(await isScheduled('t3')).toBe(true);
  // Temporal's list lags behind for as long as it likes.
  jest.spyOn(ScheduleClient.prototype, 'list').mockImplementation(async function* () {});
  await cf.keys.destroy({ tenant: 't3', reason: 'contract ended', graceMs: 10_000 });
  expect(await isScheduled('t3')).toBe(false);
});

test('a schedule whose setting was held up until the keys were destroyed is taken back', async () => {
  // Such as a process that was stopped when it had encrypted the input, and goes on now.
  const payloads = config.payloads && { ...config.payloads, keyCache: 3_600_000 };
  const late = await Chronawflow.connect({ config: { ...config, payloads }, jobs: [wait] });
  cleanUp.add(() => late.close());
  await late.jobs.schedule({ ...nightly, tenant: 't4', name: 'before' });
  const create = ScheduleClient.prototype.create;
  jest.spyOn(ScheduleClient.prototype, 'create').mockImplementation(async function (
    this: ScheduleClient,
    options,
  ) {
    await cf.keys.destroy({ tenant: 't4', reason: 'contract ended', graceMs: 10_000 });
    const handle = await create.call(this, options);
    expect(await isScheduled('t4')).toBe(true);
    return handle;
  });
  await expect(late.jobs.schedule({ ...nightly, tenant: 't4' })).rejects.toMatchObject({
    code: 'PAYLOAD_KEY_DESTROYED',
  });
  expect(await isScheduled('t4', 'before')).toBe(false);
  expect(await isScheduled('t4')).toBe(false);
});

/** As Temporal itself knows it, not its list; and not the SDK's description, which would decrypt. */
async function isScheduled(tenant: string, name = nightly.name): Promise<boolean> {
  const scheduleId = jobScheduleId(tenant, name);
  try {
    await stage.client.workflowService.describeSchedule({ namespace: 'default', scheduleId });
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === status.NOT_FOUND) return false;
    throw error;
  }
}

/** The input of a run as the server has it, opened with the keys that there are now. */
async function inputOf(workflowId: string): Promise<string> {
  if (config.payloads === undefined) throw new Error('encryption is off');
  const codec = createPayloadCodec(config.payloads, stage.platform, { namespace: 'default', side: 'client' });
  const { history } = await stage.client.workflowService.getWorkflowExecutionHistory({
    namespace: 'default',
    execution: { workflowId },
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const [opened] = await codec.decode(payloads, { type: 'workflow', workflowId });
  return Buffer.from(opened?.data ?? []).toString();
}
