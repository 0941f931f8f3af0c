import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findFault } from '../support/chaos-checker';
import { type ChaosDeployment, startChaosDeployment } from '../support/chaos-temporal';
import { type SupervisedWorker, superviseControlWorker } from '../support/chaos-worker';
import { kill } from '../support/kill';
import { until } from '../support/until';

let chaos: ChaosDeployment;
let worker: SupervisedWorker | undefined;
beforeAll(async () => {
  chaos = await startChaosDeployment({ leaseTerm: '4s' });
}, 180_000);
afterEach(async () => {
  await worker?.stop();
});
afterAll(() => chaos?.stop(), 120_000);

const experiment = (driver: string, target: string) => ({
  title: `${driver} and a death`,
  description: '',
  method: [],
  extensions: [{ name: 'chronawflow', faults: [{ driver, target }], duration: '3s' }],
});

const openLeases = () => readdirSync(join(chaos.stage.host.journal.directory, 'leases'));

test.each([
  ['toxiproxy.down', 'proxy-1'],
  ['postgres.read-only', 'database'],
] as const)(
  'the controllers’ process dies in the middle of %s: the fault ends, and the run too',
  async (driver, target) => {
    worker = superviseControlWorker(chaos.stage.configFile);
    const run = await chaos.cf.chaos.run({ experiment: experiment(driver, target), requestedBy: 'ada' });
    const fault = { id: '', driver, target };
    await until(async () => (await findFault(chaos.stage, fault)) !== undefined, {
      what: 'the fault',
      limitMs: 60_000,
    });
    kill(worker.pid);
    await until(async () => (await findFault(chaos.stage, fault)) === undefined, {
      what: 'its end',
      limitMs: 60_000,
    });
    const report = await run.result();
    // Killed before it had heard that the fault is there, it cannot inject the same fault a second time.
    expect(['passed', 'aborted', 'failed']).toContain(report.verdict);
    expect(report).toMatchObject({ residual: 0, faults: [{ driver, target }] });
    expect(openLeases()).toEqual([]);
  },
  180_000,
);

test('Temporal dies in the middle: the fault ends without it, and the run when it is back', async () => {
  worker = superviseControlWorker(chaos.stage.configFile);
  const run = await chaos.cf.chaos.run({
    experiment: experiment('toxiproxy.down', 'proxy-1'),
    requestedBy: 'ada',
  });
  const fault = { id: '', driver: 'toxiproxy.down', target: 'proxy-1' };
  await until(async () => (await findFault(chaos.stage, fault)) !== undefined, {
    what: 'the fault',
    limitMs: 60_000,
  });
  await chaos.temporal.kill();
  await until(async () => (await findFault(chaos.stage, fault)) === undefined, {
    what: 'its end',
    limitMs: 60_000,
  });
  await until(() => openLeases().length === 0, { what: 'the lease to be closed' });
  await chaos.temporal.start();
  expect(await run.result()).toMatchObject({ residual: 0 });
}, 180_000);
