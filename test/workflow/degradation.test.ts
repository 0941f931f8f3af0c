import { METRIC, sharedMetrics } from '../../core/metrics';
import {
  degradationMessageNames as messages,
  transitionWorkflowId,
} from '../../workflows/degradation-contract';
import { DegradationStage, QUICK } from '../support/degradation-stage';
import { until } from '../support/until';
import { type Ground, startGround } from './support/workflow-run';

/** A machine that stops for seconds makes nobody stale. */
const STEADY = { ...QUICK, staleAfter: '60s', silentAfter: '60s' };

let ground: Ground;
let stage: DegradationStage;
beforeAll(async () => {
  ground = await startGround();
}, 400_000);
afterAll(() => ground?.stop());
afterEach(() => stage?.stop());

const events = async (action: string) =>
  (
    await ground.platform.query<{
      action: string;
      actor: string;
      outcome: string;
      reason: string;
      details: object;
      request: string;
      run: string | null;
    }>(
      `select action, actor, outcome, reason, details, request, run from chronawflow.audit_event where action like $1 order by at`,
      [action],
    )
  ).rows;

test('a signal that crosses a threshold lowers the level everywhere, and calm brings it back step by step', async () => {
  stage = new DegradationStage(ground, STEADY);
  const seen = { 'error-rate': 0 };
  const web = await stage.follow('web', seen);
  const worker = await stage.follow('worker');
  await stage.startControl();
  await stage.watched();
  expect(web.allows('reports')).toBe(true);

  seen['error-rate'] = 0.2;
  await stage.reached('limited');
  expect([web, worker].map((one) => one.allows('reports'))).toEqual([false, false]);
  expect(web.allows('post-entry')).toBe(true);
  const report = await ground.client.workflow.getHandle(transitionWorkflowId('platform', 1)).result();
  expect(report).toMatchObject({ outcome: 'applied', processes: 3, stragglers: [] });

  seen['error-rate'] = 0;
  await stage.reached('normal');
  const ranks = (await events('degradation.%')).filter(({ action }) => !action.endsWith('acknowledged'));
  expect(ranks).toMatchObject([
    { action: 'degradation.escalation', actor: 'controller', details: { level: 'limited', from: 0, to: 2 } },
    { action: 'degradation.recovery', details: { level: 'reduced', from: 2, to: 1 } },
    { action: 'degradation.recovery', details: { level: 'normal', from: 1, to: 0 } },
  ]);
  const transition = ground.client.workflow.getHandle(transitionWorkflowId('platform', 1));
  const { workflowId: request, runId: run } = await transition.describe();
  expect(ranks[0]).toMatchObject({ request, run });
  expect(ranks[0]?.reason).toMatch(/^error-rate is 0\.2, at or above 0\.15$/);
  const counter = await sharedMetrics.registry.getSingleMetric(METRIC.degradationChanges)?.get();
  const limited = counter?.values.find(({ labels }) => labels.level === 'limited');
  expect(limited?.value).toBeGreaterThanOrEqual(1);
  // Version 1's processes acknowledged it.
  expect((await events('degradation.acknowledged')).map(({ outcome }) => outcome)).toContain('ok');
}, 400_000);

describe('a spike that is over before the controller looks', () => {
  const SLOW = { ...STEADY, interval: '3s', dwell: '10m' };
  /** Bad the next time it is asked, and never again. */
  const once = () => {
    let due = false;
    return {
      begin: () => {
        due = true;
      },
      source: () => {
        const value = due ? 0.2 : 0;
        due = false;
        return [{ signal: 'error-rate', value }];
      },
    };
  };

  test('counts when it was reported, and the next report was calm again', async () => {
    stage = new DegradationStage(ground, SLOW);
    const quick = new DegradationStage(ground, { ...SLOW, interval: '300ms' });
    const spike = once();
    const web = await quick.follow('web', {}, { signals: [spike.source] });
    try {
      await stage.startControl();
      await stage.watched();
      spike.begin();
      await stage.reached('limited', [web]);
    } finally {
      await quick.leave(web);
    }
    expect(await events('degradation.escalation')).toContainEqual(
      expect.objectContaining({ reason: 'error-rate is 0.2, at or above 0.15' }),
    );
  }, 400_000);

  test('counts when it was shorter than a process’s own interval', async () => {
    stage = new DegradationStage(ground, SLOW);
    const spike = once();
    const web = await stage.follow('web', {}, { gauges: [spike.source] });
    await stage.startControl();
    await stage.watched();
    spike.begin();
    await stage.reached('limited', [web]);
  }, 400_000);
});

test('a tier has a level of its own, which the platform’s is not moved by', async () => {
  stage = new DegradationStage(ground, { ...STEADY, tiers: ['gold'] });
  const seen = { 'error-rate': 0 };
  let gold = 0;
  const web = await stage.follow('web', seen, {
    signals: [
      () => [
        { signal: 'error-rate', value: gold, scope: 'tier/gold' },
        { signal: 'error-rate', value: 0 },
      ],
    ],
  });
  await stage.startControl();
  await stage.watched();
  gold = 0.2;
  await until(() => web.level('gold') === 'limited', { limitMs: 180_000, what: 'the tier to be limited' });
  expect([web.level(), web.allows('reports'), web.allows('reports', 'gold')]).toEqual([
    'normal',
    true,
    false,
  ]);
  expect(web.admit({ feature: 'post-entry' }, 'gold')).toEqual({ admitted: true });
  gold = 0;
  await until(() => web.level('gold') === 'normal', { limitMs: 180_000, what: 'the tier to be back' });
}, 400_000);

test('a level that is set by hand holds against the signals, with a reason and an end', async () => {
  stage = new DegradationStage(ground, STEADY);
  const seen = { 'error-rate': 0.5 };
  await stage.follow('web', seen);
  await stage.startControl();
  await stage.reached('core-only');
  await stage.controller.executeUpdate(messages.setLevel, {
    args: [{ level: 'normal', by: 'ada', reason: 'the probe lies', forMs: 600_000 }],
  });
  await stage.reached('normal');
  const held = await stage.status();
  expect(held.state?.override).toMatchObject({ by: 'ada', reason: 'the probe lies' });
  await stage.controller.executeUpdate(messages.releaseLevel, {
    args: [{ by: 'ada', reason: 'seen enough' }],
  });
  await stage.reached('core-only');
}, 400_000);

test.each([
  ['a level that is none', { level: 'panic', by: 'ada', reason: 'x', forMs: 1_000 }, 'There is no level'],
  ['no reason', { level: 'reduced', by: 'ada', reason: ' ', forMs: 1_000 }, 'Say who you are and why'],
  ['no end', { level: 'reduced', by: 'ada', reason: 'x', forMs: 0 }, 'It has to end'],
])(
  '%s is refused',
  async (_, request, message) => {
    stage = new DegradationStage(ground, STEADY);
    await stage.follow('web');
    await stage.startControl();
    await stage.watched();
    await expect(
      stage.controller.executeUpdate(messages.setLevel, { args: [request] }),
    ).rejects.toMatchObject({
      cause: { message: expect.stringContaining(message) },
    });
    expect((await stage.status()).state?.version).toBe(0);
  },
  400_000,
);

test('read only is set by hand, refuses writes, core ones as well, and changes no level', async () => {
  stage = new DegradationStage(ground, STEADY);
  const web = await stage.follow('web');
  await stage.startControl();
  await stage.watched();
  await stage.controller.executeUpdate(messages.setReadOnly, {
    args: [{ by: 'ada', reason: 'migration', forMs: 600_000 }],
  });
  const write = { feature: 'post-entry', writes: true };
  await until(() => !web.admit(write).admitted, { limitMs: 180_000, what: 'writes to be refused' });
  expect(web.admit(write)).toMatchObject({ why: 'read-only' });
  expect(web.admit({ feature: 'post-entry' })).toEqual({ admitted: true });
  expect(web.level()).toBe('normal');
  await stage.controller.executeUpdate(messages.endReadOnly, { args: [{ by: 'ada', reason: 'done' }] });
  await until(() => web.admit(write).admitted, { limitMs: 180_000, what: 'writes to be taken' });
}, 400_000);

test('two controllers that are started are one, and one that was terminated goes on where it was', async () => {
  stage = new DegradationStage(ground, { ...STEADY, dwell: '10m' });
  const seen = { 'error-rate': 0.2 };
  await stage.follow('web', seen);
  await stage.startControl();
  const second = new DegradationStage(ground, { ...STEADY, dwell: '10m' });
  await second.startControl();
  try {
    await stage.reached('limited');
    const { runId } = await stage.controller.describe();
    expect((await second.controller.describe()).runId).toBe(runId);
    seen['error-rate'] = 0;
    await stage.controller.terminate('as if it were lost');
    await second.stopControl();
    await second.startControl();
    await until(async () => (await stage.controller.describe()).runId !== runId, { limitMs: 180_000 });
    await until(async () => (await stage.status()).state !== undefined, {
      limitMs: 180_000,
      what: 'the new run to take up',
    });
    const { state } = await stage.status();
    expect(state).toMatchObject({ rank: 2, version: 1 });
    expect(state?.seen).toContain('error-rate');
  } finally {
    await second.stopControl();
  }
}, 400_000);

test('a process whose component cannot take the level is named, and followed up', async () => {
  stage = new DegradationStage(ground, STEADY);
  let broken = true;
  const seen = { 'error-rate': 0 };
  await stage.follow('web', seen);
  const stuck = await stage.follow(
    'search',
    {},
    {
      components: {
        index: ({ name }) => {
          if (broken && name !== 'normal') throw new Error('the index is locked');
        },
      },
    },
  );
  await stage.startControl();
  seen['error-rate'] = 0.06;
  await stage.reached('reduced');
  const stragglers = async () => (await stage.store.acknowledged('platform', 1, 60_000)).stragglers;
  // The others say a moment later that they are at the level.
  const named = async () => (await stragglers()).map(({ name, why }) => `${name}, ${why}`).join();
  await until(async () => (await named()) === 'search, index: the index is locked', {
    limitMs: 180_000,
    what: 'the straggler alone to be named',
  });
  expect(await stragglers()).toEqual([{ name: 'search', why: 'index: the index is locked' }]);
  // What asks by itself is at the new level all the same.
  expect(stuck.allows('exports')).toBe(false);
  broken = false;
  await expect(
    ground.client.workflow.getHandle(transitionWorkflowId('platform', 1)).result(),
  ).resolves.toMatchObject({ outcome: 'applied', stragglers: [] });
}, 400_000);
