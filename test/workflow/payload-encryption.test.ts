import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { PLATFORM } from '../../core/payload-codec';
import { CleanUp } from '../support/clean-up';
import { until } from '../support/until';
import { type SecretiveStage, startSecretiveStage } from './support/secretive-stage';
import { ask, failing, listener, parent, said, say } from './support/secretive-workflows';

/** The promises are those of core/payload-codec/README.md. */

const SECRET = 'Ada-Lovelace-1815';

let stage: SecretiveStage;
const cleanUp = new CleanUp();

beforeAll(async () => {
  stage = await startSecretiveStage();
  cleanUp.add(() => stage.stop());
  cleanUp.add(await stage.startWorker());
}, 240_000);
afterAll(() => cleanUp.run());

const start = (workflowId: string) => ({ workflowId, taskQueue: stage.taskQueue });

const owners = async () =>
  (
    await stage.platform.query<{ owner: string }>('select owner from chronawflow.payload_owner order by 1')
  ).rows.map(({ owner }) => owner);

test('inputs, activities, children, continue-as-new, memos, summaries and results are stored encrypted', async () => {
  const handle = await stage.client.workflow.start(parent, {
    ...start('job/t1/parent/1'),
    args: [SECRET, 1],
    memo: { note: `memo ${SECRET}` },
  });
  expect(await handle.result()).toBe(`echo ${SECRET}, child ${SECRET}`);
  const [first] = [handle.firstExecutionRunId];
  const { runId } = await handle.describe();
  expect(runId).not.toBe(first);
  for (const id of ['job/t1/parent/1', `job/t1/child/${SECRET.length}-0`]) {
    const stored = await stage.allThatIsStored(id);
    expect(stored).toContain('binary/encrypted');
    expect(stored).not.toContain(SECRET);
  }
  expect((await handle.describe()).memo).toEqual({ note: `memo ${SECRET}` });
  // All of it under the tenant's key: nothing went to the platform's.
  expect(await owners()).toEqual(['t1']);
});

test('messages and stack traces of failures are stored encrypted, and the client reads them', async () => {
  const handle = await stage.client.workflow.start(failing, { ...start('job/t1/failing/1'), args: [SECRET] });
  const error = await handle.result().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect(cause).toMatchObject({ message: `failed with ${SECRET}`, details: [SECRET] });
  expect(cause).toHaveProperty('cause.cause.message', `cannot ${SECRET}`);
  expect(await stage.allThatIsStored('job/t1/failing/1')).not.toContain(SECRET);
});

test('signals, updates and queries are encrypted both ways', async () => {
  const handle = await stage.client.workflow.start(listener, {
    ...start('job/t2/listener/1'),
    args: [SECRET],
    staticSummary: `summary ${SECRET}`,
  });
  await handle.signal(say, `signal ${SECRET}`);
  expect(await handle.executeUpdate(ask, { args: [`update ${SECRET}`] })).toBe(`heard update ${SECRET}`);
  expect(await handle.query(said)).toEqual([SECRET, `signal ${SECRET}`, `update ${SECRET}`]);
  await handle.signal(say, 'end');
  expect(await handle.result()).toHaveLength(4);
  expect(await (await handle.describe()).staticSummary()).toBe(`summary ${SECRET}`);
  expect(await stage.allThatIsStored('job/t2/listener/1')).not.toContain(SECRET);
});

test('runs that a schedule starts have the input that was encrypted when it was set', async () => {
  const scheduleId = 'job-schedule/t3/nightly';
  const schedule = await stage.client.schedule.create({
    scheduleId,
    spec: {},
    action: {
      type: 'startWorkflow',
      workflowType: parent,
      workflowId: scheduleId,
      taskQueue: stage.taskQueue,
      args: [SECRET, 0],
    },
  });
  await schedule.trigger();
  let workflowId = '';
  await until(async () => {
    const [run] = (await schedule.describe()).info.recentActions;
    workflowId = run?.action.workflow.workflowId ?? '';
    return workflowId !== '';
  });
  // The run's ID has the time at its end: another one than the codec was told when it encrypted.
  expect(workflowId).not.toBe(scheduleId);
  expect(await stage.client.workflow.result(workflowId)).toBe(`echo ${SECRET}, child ${SECRET}`);
  expect(await stage.allThatIsStored(workflowId)).not.toContain(SECRET);
  await schedule.delete();
});

test('a run that was reset goes on with what was encrypted before', async () => {
  const handle = await stage.client.workflow.start(parent, {
    ...start('job/t1/parent/2'),
    args: [SECRET, 0],
  });
  await handle.result();
  const runId = await stage.reset('job/t1/parent/2', handle.firstExecutionRunId);
  expect(runId).not.toBe(handle.firstExecutionRunId);
  expect(await stage.client.workflow.result('job/t1/parent/2', runId)).toBe(
    `echo ${SECRET}, child ${SECRET}`,
  );
});

test('the platform’s own workflows have the platform’s key', async () => {
  const handle = await stage.client.workflow.start(listener, { ...start('drill/weekly'), args: [SECRET] });
  await handle.signal(say, 'end');
  expect(await handle.result()).toEqual([SECRET, 'end']);
  expect(await owners()).toContain(PLATFORM);
  expect(await stage.allThatIsStored('drill/weekly')).not.toContain(SECRET);
});

test('invariant 2: a payload of one tenant in another one’s workflow is refused', async () => {
  const { dataConverter } = stage.client.options;
  const codec = dataConverter.payloadCodecs?.[0];
  const context = { type: 'workflow' as const, namespace: 'default', workflowId: 'job/t1/a/1' };
  const [payload] = (await codec?.encode([{ data: Buffer.from(SECRET) }], context)) ?? [];
  if (codec === undefined || payload === undefined) throw new Error('the client has no codec');
  await expect(codec.decode([payload], { ...context, workflowId: 'job/t2/a/1' })).rejects.toMatchObject({
    code: 'PAYLOAD_MISPLACED',
  });
  expect(await codec.decode([payload], context)).toMatchObject([{ data: Buffer.from(SECRET) }]);
});

test('invariant 3: a plain input fails the run with a clear answer where the policy does not allow it', async () => {
  await stage.plain.workflow.start(parent, { ...start('job/t1/plain/1'), args: [SECRET, 0] });
  const error = await stage.client.workflow.result('job/t1/plain/1').catch((caught: unknown) => caught);
  expect(error).toMatchObject({ cause: { type: 'PLAIN_PAYLOAD_REFUSED' } });
});

describe('where a plain input is accepted', () => {
  const queue = new CleanUp();
  let acceptingQueue: string;
  beforeAll(async () => {
    acceptingQueue = 'accepting';
    queue.add(await stage.startWorker({ ...stage.payloads, plainInput: 'accept' }, acceptingQueue));
  });
  afterAll(() => queue.run());

  test('a workflow that Temporal’s own client starts runs, and what comes after is encrypted', async () => {
    await stage.plain.workflow.start(parent, {
      workflowId: 'job/t1/plain/2',
      taskQueue: acceptingQueue,
      args: ['plainly', 0],
    });
    expect(await stage.client.workflow.result('job/t1/plain/2')).toBe('echo plainly, child plainly');
    expect(await stage.allThatIsStored('job/t1/plain/2')).not.toContain('echo plainly');
  });

  test('a plain signal is ignored, a plain update and query are refused', async () => {
    const options = {
      workflowId: 'job/t1/plain/3',
      taskQueue: acceptingQueue,
      args: ['plainly'] as [string],
    };
    const plain = await stage.plain.workflow.start(listener, options);
    const handle = stage.client.workflow.getHandle<typeof listener>('job/t1/plain/3');
    await plain.signal(say, 'forged');
    await expect(plain.executeUpdate(ask, { args: ['forged'] })).rejects.toThrow();
    expect(await handle.query(said)).toEqual(['plainly']);
    await handle.signal(say, 'end');
    expect(await handle.result()).toEqual(['plainly', 'end']);
  });
});

test('invariant 4: runs from before encryption go on until plainUntil', async () => {
  const clean = new CleanUp();
  const handle = await stage.plain.workflow.start(listener, {
    workflowId: 'job/t1/before/1',
    taskQueue: 'migrating',
    args: ['old'],
  });
  await handle.signal(say, 'older');
  const plainUntil = new Date(Date.now() + 3_600_000).toISOString();
  clean.add(await stage.startWorker({ ...stage.payloads, plainUntil }, 'migrating'));
  try {
    const migrating = stage
      .clientWith({ ...stage.payloads, plainUntil })
      .workflow.getHandle<typeof listener>('job/t1/before/1');
    expect(await migrating.query(said)).toEqual(['old', 'older']);
    await migrating.signal(say, 'end');
    expect(await migrating.result()).toEqual(['old', 'older', 'end']);
  } finally {
    await clean.run();
  }
});
