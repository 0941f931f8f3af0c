import { DegradationStage, QUICK } from '../support/degradation-stage';
import { until } from '../support/until';
import { type Ground, startGround } from './support/workflow-run';

let ground: Ground;
let stage: DegradationStage;
beforeAll(async () => {
  // A history as long as a controller has after an hour.
  ground = await startGround({ dynamicConfig: ['limit.historyCount.suggestContinueAsNew=60'] });
}, 400_000);
afterAll(async () => {
  await stage?.stop();
  await ground?.stop();
});

test('a controller goes on in a new run with what it remembers, again and again', async () => {
  stage = new DegradationStage(ground, { ...QUICK, dwell: '10m' });
  await stage.follow('web', { 'error-rate': 0.2 });
  await stage.startControl();
  await stage.reached('limited');
  const before = (await stage.status()).state;
  const runs = new Set<string>();
  await until(
    async () => {
      runs.add((await stage.controller.describe()).runId);
      return runs.size >= 3;
    },
    { limitMs: 180_000, what: 'two more runs of the controller' },
  );
  await until(async () => (await stage.status()).sees, { limitMs: 180_000, what: 'the new run to look' });
  const { state } = await stage.status();
  expect(before).toMatchObject({ rank: 2, version: 1 });
  expect(state).toMatchObject({ rank: 2, version: 1, sinceMs: before?.sinceMs, seen: before?.seen });
  expect(state?.clockMs).toBeGreaterThan(before?.clockMs ?? Number.POSITIVE_INFINITY);
}, 400_000);
