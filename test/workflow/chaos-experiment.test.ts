// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of Chaos Toolkit look like that
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { findFault } from '../support/chaos-checker';
import { disturbedProxy, smallExperiments } from '../support/chaos-small-experiments';
import { type ChaosDeployment, startChaosDeployment } from '../support/chaos-temporal';
import { until } from '../support/until';

// Refused experiments are among what is tested; the SDK would report each.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let chaos: ChaosDeployment;
beforeAll(async () => {
  process.env.CHAOS_TEST_TOKEN = 'a-very-secret-token';
  // Longer than a busy machine keeps whoever renews.
  chaos = await startChaosDeployment(
    { leaseTerm: '15s' },
    { sleep: { kind: 'program', path: '/bin/sleep' } },
  );
  await chaos.startWorker();
}, 240_000);
afterAll(() => chaos?.stop(), 120_000);
beforeEach(() => {
  chaos.service.status = 200;
});

const { experiment, action, run } = smallExperiments(() => chaos);

/** The watch's end and the report's begin, in the order of the run's history. */
async function lastLookAndReport(workflowId: string): Promise<string[]> {
  const connection = await Connection.connect({ address: chaos.temporal.address });
  try {
    const { events } = await new Client({ connection }).workflow.getHandle(workflowId).fetchHistory();
    const scheduled = new Map<string, string>();
    return (events ?? []).flatMap((event) => {
      const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (name) scheduled.set(String(event.eventId), name);
      if (name === 'finishChaos') return ['report begun'];
      const end =
        event.activityTaskCompletedEventAttributes ??
        event.activityTaskCanceledEventAttributes ??
        event.activityTaskFailedEventAttributes;
      return scheduled.get(String(end?.scheduledEventId)) === 'watchFaults' ? ['watch ended'] : [];
    });
  } finally {
    await connection.close();
  }
}

test('an experiment passes when the steady state holds, and leaves nothing', async () => {
  const report = await run(experiment({}, { method: [action('poke', '/poke')] }));
  expect(report).toMatchObject({ verdict: 'passed', residual: 0, title: 'the service answers' });
  expect(report.faults).toMatchObject([
    { driver: 'toxiproxy.latency', injected: true, reason: 'rolled-back' },
  ]);
  expect(report.runs).toMatchObject([{ status: 'succeeded', activity: { name: 'poke' } }]);
  expect(chaos.service.requests).toContain('POST /poke');
  expect(await findFault(chaos.stage, disturbedProxy)).toBeUndefined();
}, 240_000);

test('a steady state that does not come back is a deviation, and the rollbacks run', async () => {
  const document = experiment(
    {},
    { method: [action('break it', '/set/500')], rollbacks: [action('note it', '/rolled-back')] },
  );
  const report = await run(document);
  expect(report.verdict).toBe('deviated');
  expect(report.rollbacks).toMatchObject([{ status: 'succeeded' }]);
  expect(report.after).toMatchObject({ steady_state_met: false, probes: [{ tolerance_met: false }] });
}, 240_000);

test('an action that fails half way and a probe that hangs are told; what comes after them runs, and the rollbacks', async () => {
  // A time that no other process sleeps for.
  const provider = { type: 'process', path: '/bin/sleep', arguments: ['86397'], timeout: 1 };
  const report = await run(
    experiment(
      {},
      {
        method: [
          { type: 'action', name: 'half way', provider },
          { type: 'probe', name: 'hangs', tolerance: 0, provider },
          action('after', '/after-the-failure'),
        ],
        rollbacks: [action('note it', '/rolled-back-after-the-failure')],
      },
    ),
  );
  expect(report).toMatchObject({
    verdict: 'failed',
    error: { code: 'CHAOS_ACTIVITY_FAILED', message: 'half way: no end within 1000 ms' },
    residual: 0,
    faults: [{ injected: true, reason: 'rolled-back' }],
    runs: [{ status: 'failed' }, { status: 'failed', tolerance_met: false }, { status: 'succeeded' }],
    rollbacks: [{ status: 'succeeded' }],
  });
  await expect(promisify(execFile)('pgrep', ['-f', '^/bin/sleep 86397'])).rejects.toMatchObject({ code: 1 });
}, 240_000);

test('with a lease that nobody can read the rollbacks run, the report says what remains, and its own process ends it', async () => {
  const { journal } = chaos.stage.host;
  const document = experiment({ duration: '15s' }, { rollbacks: [action('note it', '/unended')] });
  const started = await chaos.cf.chaos.run({ experiment: document, requestedBy: 'ada' });
  await until(async () => (await started.status()).phase === 'observing', { what: 'the fault' });
  const [id = ''] = await journal.ids();
  await writeFile(join(journal.directory, 'leases', id, 'lease.json'), '{');
  expect(await started.result()).toMatchObject({
    verdict: 'failed',
    residual: 1,
    faults: [{ leaseId: id, endedBy: '' }],
    rollbacks: [{ status: 'succeeded' }],
  });
  expect(await lastLookAndReport(started.workflowId)).toEqual(['watch ended', 'report begun']);
  await until(async () => (await journal.ids()).length === 0, { what: 'its end', limitMs: 120_000 });
  expect(await findFault(chaos.stage, disturbedProxy)).toBeUndefined();
}, 300_000);

test('without a steady state nothing is injected', async () => {
  chaos.service.status = 503;
  const report = await run(experiment({}, { method: [action('never', '/never')] }));
  expect(report).toMatchObject({ verdict: 'not-steady', faults: [], runs: [] });
  expect(chaos.service.requests).not.toContain('POST /never');
}, 240_000);

test('an abort condition that holds ends the faults at once', async () => {
  const watch = {
    type: 'probe',
    name: 'still answers',
    provider: { type: 'http', url: chaos.service.url },
    tolerance: 200,
  };
  const document = experiment(
    { duration: '10m', 'abort-conditions': [{ kind: 'probe', probe: watch }] },
    { method: [{ ...action('break it', '/set/500'), pauses: { before: 1 } }] },
  );
  const report = await run(document);
  expect(report).toMatchObject({ verdict: 'aborted', abort: { kind: 'condition' } });
  expect(report.abort?.reason).toContain('still answers');
  expect(report.abort?.rolledBackAfterMs).toBeLessThan(30_000);
  expect(report.faults).toMatchObject([{ reason: 'aborted' }]);
}, 240_000);

test('whoever cancels an experiment gets its faults rolled back first', async () => {
  const started = await chaos.cf.chaos.run({
    experiment: experiment({ duration: '5m' }),
    requestedBy: 'ada',
  });
  await until(async () => (await started.status()).phase === 'observing', { what: 'the fault to be there' });
  expect(await findFault(chaos.stage, disturbedProxy)).toContain('toxics');
  await started.abort();
  const report = await started.result();
  expect(report).toMatchObject({ verdict: 'aborted', residual: 0 });
  expect(await lastLookAndReport(started.workflowId)).toEqual(['watch ended', 'report begun']);
  expect(await findFault(chaos.stage, disturbedProxy)).toBeUndefined();
}, 240_000);

test('a dry run says what would be done and does nothing', async () => {
  const before = chaos.service.requests.length;
  const report = await run(experiment({}, { method: [action('poke', '/poke')] }), { dryRun: true });
  expect(report.verdict).toBe('dry-run');
  expect(report.plan?.join('\n')).toMatch(/inject toxiproxy\.latency into proxy-1.*\n.*action poke/);
  expect(chaos.service.requests.length).toBe(before);
}, 240_000);

test('the journal is Chaos Toolkit’s, without the secrets', async () => {
  const document = experiment(
    {},
    {
      secrets: { service: { token: { type: 'env', key: 'CHAOS_TEST_TOKEN' } } },
      method: [
        {
          type: 'probe',
          name: 'asks with the token',
          provider: {
            type: 'http',
            url: `${chaos.service.url}/\${token}`,
            headers: { authorization: `\${token}` },
          },
        },
      ],
    },
  );
  chaos.service.body = { echo: 'a-very-secret-token' };
  const started = await chaos.cf.chaos.run({ experiment: document, requestedBy: 'ada' });
  const report = await started.result();
  chaos.service.body = { ok: true };
  const { journal } = await chaos.cf.chaos.report(started.workflowId);
  expect(chaos.service.requests).toContain('GET /a-very-secret-token');
  expect(journal).toMatchObject({
    status: 'completed',
    deviated: false,
    steady_states: { before: { steady_state_met: true }, after: { steady_state_met: true }, during: [] },
    run: [{ status: 'succeeded', output: { status: 200, body: { echo: '*****' } } }],
    rollbacks: [],
  });
  expect(JSON.stringify([journal, report])).not.toContain('a-very-secret-token');
}, 240_000);

test('load before, during and after shows the fault in its percentiles', async () => {
  const load = { url: `${chaos.service.url}/load`, ratePerSecond: 20, around: '1s' };
  const report = await run(experiment({ load }));
  expect(report.load?.map(({ window }) => window)).toEqual(['before', 'during', 'after']);
  expect(report.load?.every(({ requests, failed }) => requests === 20 && failed === 0)).toBe(true);
}, 240_000);

/** As the public ones are written: everything by its own actions and rollbacks, addresses by configuration. */
test('an experiment written for Chaos Toolkit runs as it is', async () => {
  const { toxiproxy } = chaos.stage;
  process.env.CHAOS_TEST_TOXIPROXY = toxiproxy.url;
  const toxics = '${toxiproxy}/proxies/proxy-3/toxics';
  const json = { 'Content-Type': 'application/json' };
  const document = {
    version: '1.0.0',
    title: 'Latency to the database is tolerated',
    description: 'The service should keep on answering while its database is slow.',
    tags: ['toxiproxy', 'latency'],
    configuration: {
      toxiproxy: { type: 'env', key: 'CHAOS_TEST_TOXIPROXY' },
      service: chaos.service.url,
      latency: 250,
      settle: 0.2,
    },
    contributions: { reliability: 'high', security: 'none' },
    'steady-state-hypothesis': {
      title: 'The service answers, and its queue is short',
      probes: [
        {
          type: 'probe',
          name: 'it-answers',
          tolerance: [200, 204],
          provider: { type: 'http', url: '${service}', timeout: [30, 30] },
        },
        {
          type: 'probe',
          name: 'its-queue-is-short',
          tolerance: { type: 'jsonpath', path: '$.queue.depth', target: 'body', expect: [3] },
          provider: { type: 'http', url: '${service}' },
        },
        {
          type: 'probe',
          name: 'a-program-says-so',
          tolerance: { type: 'regex', target: 'stdout', pattern: '^depth (?P<depth>\\d+)' },
          provider: { type: 'process', path: 'echo', arguments: 'depth 3' },
        },
        {
          type: 'probe',
          name: 'it-ends-well',
          tolerance: 0,
          provider: { type: 'process', path: '/bin/echo', arguments: ['-n'] },
        },
      ],
    },
    method: [
      {
        type: 'action',
        name: 'make-the-database-slow',
        provider: {
          type: 'http',
          url: toxics,
          method: 'POST',
          headers: json,
          arguments: { name: 'slow', type: 'latency', attributes: { latency: '${latency}' } },
        },
        pauses: { after: '${settle}' },
      },
      { ref: 'it-answers' },
      {
        type: 'probe',
        name: 'beside',
        background: true,
        provider: { type: 'http', url: '${toxiproxy}/proxies' },
        tolerance: 200,
      },
    ],
    rollbacks: [
      {
        type: 'action',
        name: 'make-it-fast',
        provider: { type: 'http', url: `${toxics}/slow`, method: 'DELETE' },
      },
    ],
  };
  chaos.service.body = { ok: true, queue: { depth: 3 } };
  const report = await run(document);
  expect(report).toMatchObject({ verdict: 'passed', faults: [] });
  expect(report.runs.map(({ activity, status }) => [activity.name, status])).toEqual(
    expect.arrayContaining([
      ['make-the-database-slow', 'succeeded'],
      ['it-answers', 'succeeded'],
      ['beside', 'succeeded'],
    ]),
  );
  expect(report.runs[0]?.output).toMatchObject({
    status: 200,
    body: { name: 'slow', attributes: { latency: 250 } },
  });
  expect(report.rollbacks).toMatchObject([{ status: 'succeeded', output: { status: 204 } }]);
  expect(await findFault(chaos.stage, { ...disturbedProxy, target: 'proxy-3' })).toBeUndefined();
}, 240_000);

test('a flooded queue is empty again, by Temporal’s own word', async () => {
  const running = async () => {
    const { stdout } = await promisify(execFile)(chaos.temporal.cli, [
      ...['workflow', 'count', '--address', chaos.temporal.address],
      ...['--query', `WorkflowType = 'chaosFlood' and ExecutionStatus = 'Running'`],
    ]);
    return Number(/Total: (\d+)/.exec(stdout)?.[1]);
  };
  const flood = { driver: 'temporal.queue-flooded', target: 'queue', parameters: { workflows: 30 } };
  const started = await chaos.cf.chaos.run({
    experiment: experiment({ faults: [flood], duration: '5m' }),
    requestedBy: 'ada',
  });
  await until(async () => (await running()) === 30, { what: 'the flood', limitMs: 60_000 });
  await started.abort();
  expect(await started.result()).toMatchObject({
    residual: 0,
    faults: [{ driver: 'temporal.queue-flooded' }],
  });
  await until(async () => (await running()) === 0, { what: 'visibility to hear of it' });
}, 240_000);
