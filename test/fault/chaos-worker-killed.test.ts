import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { ChaosRun } from '../../client';
import { findFault } from '../support/chaos-checker';
import { type ChaosDeployment, startChaosDeployment } from '../support/chaos-temporal';
import { type SupervisedWorker, superviseControlWorker } from '../support/chaos-worker';
import { kill } from '../support/kill';
import { until } from '../support/until';

let chaos: ChaosDeployment;
let worker: SupervisedWorker | undefined;
beforeAll(async () => {
  chaos = await startChaosDeployment({ leaseTerm: '8s' });
}, 300_000);
afterEach(async () => {
  await worker?.stop();
});
afterAll(() => chaos?.stop(), 120_000);

/** The fault lasts for long enough to be seen; what ends it early is that nobody renews its lease. */
const experiment = (driver: string, target: string) => ({
  title: `${driver} and a death`,
  description: '',
  method: [],
  extensions: [{ name: 'chronawflow', faults: [{ driver, target }], duration: '15s' }],
});

/** A run whose fault is there. Where what is disturbed does not answer in time, a run ends without one: then there is another. */
async function disturbing(driver: string, target: string): Promise<ChaosRun> {
  let over: unknown;
  for (let tries = 0; tries < 3; tries += 1) {
    const run = await chaos.cf.chaos.run({ experiment: experiment(driver, target), requestedBy: 'ada' });
    let there = false;
    over = undefined;
    run.result().then(
      (report) => {
        over = report;
      },
      (error: unknown) => {
        over = error;
      },
    );
    await until(
      async () => {
        there = (await findFault(chaos.stage, { id: '', driver, target })) !== undefined;
        return there || over !== undefined;
      },
      { what: 'the fault', limitMs: 120_000 },
    );
    if (there) return run;
  }
  throw new Error(`no run has injected its fault: ${JSON.stringify(over)}`);
}

const openLeases = () => readdirSync(join(chaos.stage.host.journal.directory, 'leases'));

test.each([
  ['toxiproxy.down', 'proxy-1'],
  ['postgres.read-only', 'database'],
  ['temporal.queue-flooded', 'queue'],
] as const)(
  'the controllers’ process dies in the middle of %s: the fault ends, and the run too',
  async (driver, target) => {
    worker = superviseControlWorker(chaos.stage.configFile);
    const run = await disturbing(driver, target);
    const fault = { id: '', driver, target };
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
  420_000,
);

test('Temporal dies in the middle: the fault ends without it, and the run when it is back', async () => {
  worker = superviseControlWorker(chaos.stage.configFile);
  const run = await disturbing('toxiproxy.down', 'proxy-1');
  const fault = { id: '', driver: 'toxiproxy.down', target: 'proxy-1' };
  await chaos.temporal.kill();
  await until(async () => (await findFault(chaos.stage, fault)) === undefined, {
    what: 'its end',
    limitMs: 60_000,
  });
  await until(() => openLeases().length === 0, { what: 'the lease to be closed' });
  await chaos.temporal.start();
  expect(await run.result()).toMatchObject({ residual: 0 });
}, 420_000);

/** As Chaos Toolkit has it: nothing of it is a fault with a lease. */
const imported = (toxiproxy: string) => ({
  title: 'its own action and its own rollback',
  description: '',
  method: [
    {
      type: 'action',
      name: 'make it slow',
      provider: {
        type: 'http',
        url: `${toxiproxy}/proxies/proxy-2/toxics`,
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        arguments: { name: 'slow', type: 'latency', attributes: { latency: 200 } },
      },
      // Long enough for the test to see the toxic and to hold Toxiproxy before the rollback begins.
      pauses: { after: 15 },
    },
  ],
  rollbacks: [
    {
      type: 'action',
      name: 'make it fast',
      provider: {
        type: 'http',
        url: `${toxiproxy}/proxies/proxy-2/toxics/slow`,
        method: 'DELETE',
        timeout: 1,
      },
    },
  ],
});

test('an imported experiment’s own rollback outlives its controllers, and an answer that does not come', async () => {
  const { stage, cf, temporal } = chaos;
  worker = superviseControlWorker(stage.configFile);
  const run = await cf.chaos.run({ experiment: imported(stage.toxiproxy.url), requestedBy: 'ada' });
  const fault = { id: '', driver: 'toxiproxy.latency', target: 'proxy-2' };
  await until(async () => (await findFault(stage, fault)) !== undefined, {
    what: 'its toxic',
    limitMs: 60_000,
  });
  kill(worker.pid);
  const toxiproxy = await stage.toxiproxy.pid();
  if (toxiproxy === undefined) throw new Error('Toxiproxy does not run');
  process.kill(toxiproxy, 'SIGSTOP');
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const handle = new Client({ connection }).workflow.getHandle(run.workflowId);
    const triedAgain = async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) >= 2) ?? false;
    };
    // Until the controllers are back nobody answers.
    const phase = () =>
      run.status().then(
        (status) => status.phase,
        () => undefined,
      );
    await until(async () => (await phase()) === 'rolling-back' && (await triedAgain()), {
      what: 'the rollback to be tried again',
      limitMs: 180_000,
    });
  } finally {
    process.kill(toxiproxy, 'SIGCONT');
    await connection.close();
  }
  const report = await run.result();
  expect(report.rollbacks).toMatchObject([{ status: 'succeeded', activity: { name: 'make it fast' } }]);
  expect(await findFault(stage, fault)).toBeUndefined();
}, 420_000);
