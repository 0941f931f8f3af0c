import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { type ChaosDeployment, startChaosDeployment } from '../support/chaos-temporal';
import { superviseControlWorker } from '../support/chaos-worker';
import { CleanUp } from '../support/clean-up';
import { until } from '../support/until';

const cleanUp = new CleanUp();
let chaos: ChaosDeployment;
beforeAll(async () => {
  chaos = await startChaosDeployment({}, { sleep: { kind: 'program', path: '/bin/sleep' } });
  cleanUp.add(() => chaos.stop());
}, 300_000);
afterAll(() => cleanUp.run(), 120_000);

/** It goes on while the controllers stand still, and is not repeated. */
const experiment = {
  title: 'an action of its own',
  description: '',
  method: [
    {
      type: 'action',
      name: 'restart something slowly',
      provider: { type: 'process', path: 'sleep', arguments: '8', timeout: 120 },
    },
  ],
};

test('an action that is not repeated outlives controllers that stand still for seven seconds', async () => {
  const worker = superviseControlWorker(chaos.stage.configFile);
  cleanUp.add(() => worker.stop());
  const run = await chaos.cf.chaos.run({ experiment, requestedBy: 'ada' });
  let ended = false;
  run
    .result()
    .finally(() => {
      ended = true;
    })
    .catch(() => undefined);
  const connection = await Connection.connect({ address: chaos.temporal.address });
  cleanUp.add(() => connection.close());
  const handle = new Client({ connection }).workflow.getHandle(run.workflowId);
  await until(
    async () => {
      const { pendingActivities } = (await handle.describe()).raw;
      return (
        pendingActivities?.some(
          ({ activityType, lastStartedTime }) => activityType?.name === 'runChaosStep' && lastStartedTime,
        ) === true
      );
    },
    { what: 'the action to begin', limitMs: 120_000 },
  );
  expect(ended).toBe(false);
  const { pid } = worker;
  if (pid === undefined) throw new Error('the controllers do not run');
  process.kill(pid, 'SIGSTOP');
  try {
    // The fault, not a wait: a pause longer than the heartbeat's former limit of 5 s.
    await sleep(7_000);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  expect(await run.result()).toMatchObject({
    verdict: 'passed',
    runs: [{ activity: { name: 'restart something slowly' }, status: 'succeeded' }],
  });
}, 300_000);
