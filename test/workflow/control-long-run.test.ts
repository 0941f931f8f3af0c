import pino from 'pino';
import type { Config } from '../../config';
import { createControlWorker } from '../../workers/create-control-worker';
import { CleanUp } from '../support/clean-up';
import {
  effectsOn,
  openContainmentScene,
  startContainmentStage,
  whatStands,
} from '../support/containment-scene';
import type { JobStage } from '../support/job-stage';
import { startPageSink } from '../support/page-sink';
import { until } from '../support/until';

let stage: JobStage;
let cleanUp: CleanUp;
beforeAll(async () => {
  // A history as long as a containment has after an hour.
  stage = await startContainmentStage({ dynamicConfig: ['limit.historyCount.suggestContinueAsNew=50'] });
}, 240_000);
afterAll(() => stage?.stop());
beforeEach(() => {
  cleanUp = new CleanUp();
});
afterEach(() => cleanUp.run(), 240_000);

/** The controllers, in this process. */
async function startControl(config: Config): Promise<void> {
  const worker = await createControlWorker({
    config,
    log: pino({ level: 'silent' }),
    workflows: { workflowBundle: stage.bundle },
  });
  const ended = worker.run();
  cleanUp.add(async () => {
    worker.shutdown();
    await ended;
  });
}

test('a containment goes on in new runs: it holds all the while, ends when it shall, and can be released', async () => {
  const { cf, config } = await openContainmentScene(stage, cleanUp, { containment: { lease: '6s' } });
  await startControl(config);
  const before = await whatStands(stage);
  const run = await cf.containment.contain({
    strategy: 'read-only',
    tenant: 't1',
    reason: 'a test',
    for: '20m',
  });
  const held = () =>
    until(async () => (await effectsOn(stage, 't1')).join() === 'gate,hold', {
      limitMs: 120_000,
      what: 'the tenant to be contained',
    });
  await held();
  const [first] = await cf.containment.list();
  const runs = new Set<string>();
  await until(
    async () => {
      runs.add((await stage.describe(run.workflowId)).runId);
      return runs.size >= 3;
    },
    { limitMs: 180_000, what: 'two more runs' },
  );
  await until(async () => (await run.status()).phase === 'holding', { limitMs: 120_000 });
  await held();
  // Its lease may have lapsed where the machine was held up; the next renewal brings it back.
  await until(async () => (await cf.containment.list())[0]?.state === 'active', { limitMs: 120_000 });
  // It is the same one, and a new run gives it no more time.
  expect(await cf.containment.list()).toMatchObject([{ id: run.id, state: 'active', endsAt: first?.endsAt }]);
  await cf.containment.release(run.id, { as: 'grace' });
  expect(await run.result()).toMatchObject({ id: run.id, outcome: 'released', by: 'grace', notices: [] });
  expect(await effectsOn(stage, 't1')).toEqual([]);
  expect(await whatStands(stage)).toEqual(before);
}, 600_000);

test('an escalation that fires again while its end is told goes on in a new run, from the first level', async () => {
  const sink = await startPageSink(cleanUp);
  const { cf, config } = await openContainmentScene(stage, cleanUp, {
    escalation: {
      levels: [{ level: 1, notify: [{ kind: 'webhook', url: `${sink.url}/team` }] }],
      severities: { critical: { after: '10m' } },
    },
  });
  await startControl(config);
  const raise = () =>
    cf.escalation.raise({ fingerprint: 'bank', severity: 'critical', summary: 'bank is down' });
  const told = (what: string, times: number) =>
    until(() => sink.told().filter((one) => one === what).length >= times, { limitMs: 120_000, what });
  const workflowId = await raise();
  await told('/team', 1);
  const { runId } = await stage.describe(workflowId);
  // The end cannot be told until the sink answers, and so the run does not end either.
  sink.answers.set('/team', 503);
  await stage.signal(workflowId, 'resolve');
  await told('/team:resolved', 1);
  expect(await raise()).toBe(workflowId);
  sink.answers.delete('/team');
  await told('/team', 2);
  // A page whose answer was late has been sent twice.
  await until(async () => (await stage.describe(workflowId)).runId !== runId, {
    limitMs: 120_000,
    what: 'a new run',
  });
  expect((await stage.describe(workflowId)).status.name).toBe('RUNNING');
  const ended = await stage.client.workflow.getHandle(workflowId, runId).describe();
  expect(ended.status.name).toBe('CONTINUED_AS_NEW');
  // The first one is over, the second one waits to be taken.
  const states = async () => (await cf.escalation.list({ all: true })).map(({ state }) => state);
  await until(async () => (await states()).length === 2, { limitMs: 120_000, what: 'the second one' });
  expect(await states()).toEqual(['open', 'resolved']);
  await stage.signal(workflowId, 'resolve');
  await until(async () => (await stage.describe(workflowId)).status.name === 'COMPLETED', {
    limitMs: 120_000,
  });
}, 600_000);
