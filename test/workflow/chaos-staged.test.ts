// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of Chaos Toolkit look like that
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { ChaosReport } from '../../core/chaos/types';
import { findFault } from '../support/chaos-checker';
import { type ChaosDeployment, startChaosDeployment } from '../support/chaos-temporal';
import { until } from '../support/until';

// Refused experiments are among what is tested; the SDK would report each.
Runtime.install({ logger: new DefaultLogger('ERROR') });

/** A look at a condition that a busy machine holds up for a second ends an experiment: only where conditions are meant. */
const UNCONDITIONAL = { refuseWhen: [] };

let chaos: ChaosDeployment;
beforeAll(async () => {
  chaos = await startChaosDeployment(({ url }) => ({
    leaseTerm: '20s',
    // The share of the error budget that is left, as a service's metrics page has it.
    refuseWhen: [{ kind: 'metric', url, metric: 'error_budget_left', below: 0.1 }],
  }));
  await chaos.startWorker(UNCONDITIONAL);
}, 240_000);
afterAll(() => chaos?.stop(), 120_000);

/** A page in Prometheus' text format; the service answers with JSON, which a text is as well. */
const budget = (left: number) => {
  chaos.service.body = `# TYPE error_budget_left gauge\nerror_budget_left ${left}\n`;
};
beforeEach(() => {
  chaos.service.status = 200;
  budget(0.8);
});

const action = (name: string, path: string) => ({
  type: 'action',
  name,
  provider: { type: 'http', url: `${chaos.service.url}${path}`, method: 'POST' },
});
const probe = (name: string, tolerance: unknown) => ({
  type: 'probe',
  name,
  tolerance,
  provider: { type: 'http', url: chaos.service.url, timeout: 5 },
});
const experiment = (extension: object, more: object = {}): Record<string, unknown> => ({
  title: 'staged',
  description: '',
  method: [action('first', '/first'), action('second', '/second')],
  extensions: [{ name: 'chronawflow', duration: '1s', recovery: '0s', ...extension }],
  ...more,
});
const DOWN = { driver: 'toxiproxy.down', target: 'proxy-1' };
const READ_ONLY = { driver: 'postgres.read-only', target: 'database' };

async function run(document: Record<string, unknown>): Promise<ChaosReport> {
  return (await chaos.cf.chaos.run({ experiment: document, requestedBy: 'ada' })).result();
}

test('a fault comes after the step that it names, beside those that were there before', async () => {
  const report = await run(
    experiment({
      faults: [DOWN, { ...READ_ONLY, after: 'first' }],
      during: [probe('it still answers', 200)],
    }),
  );
  expect(report).toMatchObject({ verdict: 'passed', residual: 0, during: { steady_state_met: true } });
  expect(report.faults).toMatchObject([
    { ...DOWN, injected: true, reason: 'rolled-back' },
    { ...READ_ONLY, injected: true, reason: 'rolled-back' },
  ]);
  const [first] = report.runs;
  expect(Date.parse(report.faults[1]?.from ?? '')).toBeGreaterThanOrEqual(
    Date.parse(first?.end ?? '') - 1_000,
  );
  for (const fault of [DOWN, READ_ONLY])
    expect(await findFault(chaos.stage, { id: '', ...fault })).toBeUndefined();
  const { journal } = await chaos.cf.chaos.report(report.runId);
  expect(journal).toMatchObject({ steady_states: { during: [{ steady_state_met: true }] } });
}, 300_000);

test('what does not come true while the faults are there is a deviation, and they end all the same', async () => {
  const report = await run(
    experiment({ faults: [DOWN], during: [probe('it breaks', 500), probe('it answers', 200)], within: '2s' }),
  );
  expect(report).toMatchObject({ verdict: 'deviated', residual: 0, during: { steady_state_met: false } });
  expect(report.during?.probes).toMatchObject([{ tolerance_met: false }, { tolerance_met: true }]);
  expect(await findFault(chaos.stage, { id: '', ...DOWN })).toBeUndefined();
}, 300_000);

test('a fault after a step that is not there is refused with its position', async () => {
  await expect(run(experiment({ faults: [{ ...DOWN, after: 'third' }] }))).rejects.toMatchObject({
    code: 'CHAOS_EXPERIMENT_INVALID',
  });
}, 300_000);

test('a spent error budget keeps an experiment from starting, and one that is being spent ends it', async () => {
  await chaos.stopWorker();
  await chaos.startWorker();
  budget(0.05);
  await expect(run(experiment({ faults: [DOWN] }))).rejects.toMatchObject({
    code: 'CHAOS_REFUSED',
    message: expect.stringContaining('error_budget_left is 0.05, below 0.1'),
  });
  budget(0.8);
  const started = await chaos.cf.chaos.run({
    experiment: experiment({ faults: [DOWN], duration: '60s' }),
    requestedBy: 'ada',
  });
  await until(async () => (await started.status()).phase === 'observing', { limitMs: 60_000 });
  budget(0.05);
  const report = await started.result();
  expect(report).toMatchObject({ verdict: 'aborted', residual: 0, abort: { kind: 'condition' } });
  expect(report.abort?.reason).toContain('error_budget_left');
  await chaos.stopWorker();
  await chaos.startWorker(UNCONDITIONAL);
}, 300_000);

test('small faults at a rate have their next runs within the window, and bad ones are refused', async () => {
  const { schedules } = chaos.cf.chaos;
  const request = { name: 'drizzle', experiment: experiment({ faults: [DOWN] }), requestedBy: 'ada' };
  const hour = new Date().getUTCHours();
  const from = (hour + 6) % 24;
  await schedules.set({ ...request, rate: { perHour: 6, hours: { from, to: (from + 2) % 24 } } });
  const listed = async () => (await schedules.list()).find(({ name }) => name === 'drizzle');
  // Temporal's list lags a little.
  await until(async () => (await listed()) !== undefined, { what: 'the schedule to be listed' });
  const found = await listed();
  expect(found?.nextRuns.length).toBeGreaterThan(0);
  // A run begins anywhere within the interval of ten minutes after its time.
  const allowed = [from, (from + 1) % 24, (from + 2) % 24];
  for (const time of found?.nextRuns ?? []) expect(allowed).toContain(new Date(time).getUTCHours());
  await schedules.remove('drizzle');
  for (const rate of [{ perHour: 0 }, { perHour: 100 }, { perHour: 6, hours: { from: 5, to: 5 } }])
    await expect(schedules.set({ ...request, rate })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(schedules.set(request)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
}, 300_000);

/**
 * Written after the structure of two published experiments of the Open Chaos catalogue (open-chaos/experiment-catalog on GitHub:
 * local/url-responds and docker/docker_restart), whose addresses and programs come from the environment.
 */
test('experiments of the published kind run with nothing but their addresses set', async () => {
  process.env.ENDPOINT_URL = chaos.service.url;
  process.env.CONTAINER = 'web-1';
  const published = (method: readonly object[], timeout: number) => ({
    version: '1.0.0',
    title: 'A service responds with status 200',
    description: 'Also while something is done to it.',
    tags: ['platform:local', 'service:url'],
    configuration: {
      endpoint_url: { type: 'env', key: 'ENDPOINT_URL' },
      container: { type: 'env', key: 'CONTAINER' },
    },
    contributions: { availability: 'high', reliability: 'none', security: 'none' },
    'steady-state-hypothesis': {
      title: 'Application is normal',
      probes: [
        {
          type: 'probe',
          name: 'application-must-respond-normally',
          tolerance: 200,
          provider: { type: 'http', url: '${endpoint_url}', timeout },
        },
      ],
    },
    method,
    rollbacks: [],
  });
  const program = (args: string) => ({ type: 'process', path: 'echo', arguments: args });
  const dummy = await run(published([{ type: 'action', name: 'dummy step', provider: program('') }], 10));
  expect(dummy).toMatchObject({ verdict: 'passed', runs: [{ status: 'succeeded' }] });
  const restart = {
    type: 'action',
    name: 'restart the container',
    provider: program('restart ${container}'),
    pauses: { after: 1 },
  };
  const restarted = await run(published([restart], 10.5));
  expect(restarted).toMatchObject({
    verdict: 'passed',
    runs: [{ status: 'succeeded', output: { stdout: 'restart web-1\n' } }],
  });
}, 300_000);
