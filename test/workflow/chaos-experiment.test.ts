// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of Chaos Toolkit look like that
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { ChaosReport } from '../../core/chaos/types';
import { findFault } from '../support/chaos-checker';
import { type ChaosDeployment, startChaosDeployment } from '../support/chaos-temporal';
import { until } from '../support/until';

// Refused experiments are among what is tested; the SDK would report each.
Runtime.install({ logger: new DefaultLogger('ERROR') });

const CLI = join(__dirname, '..', '..', 'dist', 'client', 'cli', 'main.js');

let chaos: ChaosDeployment;
beforeAll(async () => {
  process.env.CHAOS_TEST_TOKEN = 'a-very-secret-token';
  chaos = await startChaosDeployment({ leaseTerm: '5s' });
  await chaos.startWorker();
}, 180_000);
afterAll(() => chaos?.stop(), 120_000);
beforeEach(() => {
  chaos.service.status = 200;
});

const LATENCY = { driver: 'toxiproxy.latency', target: 'proxy-1', parameters: { latencyMs: 100 } };

function experiment(extension: object = {}, more: object = {}): Record<string, unknown> {
  return {
    title: 'the service answers',
    description: 'also while its database is slow',
    'steady-state-hypothesis': {
      title: 'it answers',
      probes: [
        {
          type: 'probe',
          name: 'answers',
          provider: { type: 'http', url: chaos.service.url },
          tolerance: 200,
        },
      ],
    },
    method: [],
    extensions: [{ name: 'chronawflow', faults: [LATENCY], duration: '1s', recovery: '0s', ...extension }],
    ...more,
  };
}

const action = (name: string, path: string) => ({
  type: 'action',
  name,
  provider: { type: 'http', url: `${chaos.service.url}${path}`, method: 'POST' },
});

const proxy = { id: '', driver: 'toxiproxy.latency', target: 'proxy-1' };

async function run(document: Record<string, unknown>, more: object = {}): Promise<ChaosReport> {
  const started = await chaos.cf.chaos.run({ experiment: document, requestedBy: 'ada', ...more });
  return started.result();
}

async function refused(document: Record<string, unknown>): Promise<{ code: unknown; message: string }> {
  return run(document).then(
    () => ({ code: undefined, message: '' }),
    (error: Error & { code?: unknown }) => ({ code: error.code, message: error.message }),
  );
}

test('an experiment passes when the steady state holds, and leaves nothing', async () => {
  const report = await run(experiment({}, { method: [action('poke', '/poke')] }));
  expect(report).toMatchObject({ verdict: 'passed', residual: 0, title: 'the service answers' });
  expect(report.faults).toMatchObject([
    { driver: 'toxiproxy.latency', injected: true, reason: 'rolled-back' },
  ]);
  expect(report.runs).toMatchObject([{ status: 'succeeded', activity: { name: 'poke' } }]);
  expect(chaos.service.requests).toContain('POST /poke');
  expect(await findFault(chaos.stage, proxy)).toBeUndefined();
}, 60_000);

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
}, 60_000);

test('a steady state that does not come back is a deviation, and the rollbacks run', async () => {
  const document = experiment(
    {},
    { method: [action('break it', '/set/500')], rollbacks: [action('note it', '/rolled-back')] },
  );
  const report = await run(document);
  expect(report.verdict).toBe('deviated');
  expect(report.rollbacks).toMatchObject([{ status: 'succeeded' }]);
  expect(report.after).toMatchObject({ steady_state_met: false, probes: [{ tolerance_met: false }] });
}, 60_000);

test('without a steady state nothing is injected', async () => {
  chaos.service.status = 503;
  const report = await run(experiment({}, { method: [action('never', '/never')] }));
  expect(report).toMatchObject({ verdict: 'not-steady', faults: [], runs: [] });
  expect(chaos.service.requests).not.toContain('POST /never');
}, 60_000);

test('an abort condition that holds ends the faults at once', async () => {
  const watch = {
    type: 'probe',
    name: 'still answers',
    provider: { type: 'http', url: chaos.service.url },
    tolerance: 200,
  };
  const document = experiment(
    { duration: '60s', 'abort-conditions': [{ kind: 'probe', probe: watch }] },
    { method: [{ ...action('break it', '/set/500'), pauses: { before: 1 } }] },
  );
  const report = await run(document);
  expect(report).toMatchObject({ verdict: 'aborted', abort: { kind: 'condition' } });
  expect(report.abort?.reason).toContain('still answers');
  expect(report.abort?.rolledBackAfterMs).toBeLessThan(10_000);
  expect(report.faults).toMatchObject([{ reason: 'aborted' }]);
}, 60_000);

test('whoever cancels an experiment gets its faults rolled back first', async () => {
  const started = await chaos.cf.chaos.run({
    experiment: experiment({ duration: '60s' }),
    requestedBy: 'ada',
  });
  await until(async () => (await started.status()).phase === 'observing', { what: 'the fault to be there' });
  expect(await findFault(chaos.stage, proxy)).toContain('toxics');
  await started.abort();
  const report = await started.result();
  expect(report).toMatchObject({ verdict: 'aborted', residual: 0 });
  expect(await findFault(chaos.stage, proxy)).toBeUndefined();
}, 60_000);

test('a dry run says what would be done and does nothing', async () => {
  const before = chaos.service.requests.length;
  const report = await run(experiment({}, { method: [action('poke', '/poke')] }), { dryRun: true });
  expect(report.verdict).toBe('dry-run');
  expect(report.plan?.join('\n')).toMatch(/inject toxiproxy\.latency into proxy-1.*\n.*action poke/);
  expect(chaos.service.requests.length).toBe(before);
}, 60_000);

test('what is not in the allow-list is refused before anything happens', async () => {
  const elsewhere = {
    ...action('elsewhere', ''),
    provider: { type: 'http', url: 'http://127.0.0.1:1/x', method: 'POST' },
  };
  const metadata = {
    ...elsewhere,
    provider: { type: 'http', url: 'http://169.254.169.254/latest/meta-data' },
  };
  for (const document of [
    experiment({ faults: [{ ...LATENCY, target: 'production' }] }),
    experiment({ faults: [{ driver: 'process.kill', target: 'proxy-1' }] }),
    experiment({}, { method: [elsewhere] }),
    experiment({}, { rollbacks: [metadata] }),
    experiment(
      {},
      { method: [{ ...elsewhere, provider: { type: 'process', path: '/bin/sh', arguments: ['-c', 'id'] } }] },
    ),
  ])
    expect((await refused(document)).code).toBe('CHAOS_TARGET_NOT_ALLOWED');
}, 60_000);

test('the rules of safety refuse', async () => {
  const { platform } = chaos.stage;
  const expectRefusal = async (document: Record<string, unknown>, text: string) => {
    const { code, message } = await refused(document);
    expect({ code, named: message.includes(text) ? text : message }).toEqual({
      code: 'CHAOS_REFUSED',
      named: text,
    });
  };
  await platform.query(
    `insert into chronawflow.degradation_level (scope, version, level, rank, reason) values ('platform', 1, 'essential', 2, 'test')`,
  );
  await expectRefusal(experiment(), 'not at the normal level: platform (essential)');
  await platform.query('delete from chronawflow.degradation_level');

  await platform.query(
    `insert into chronawflow.restore (id, kind, tenant, workflow_id, requested_by, phase) values ('r1', 'restore', 't1', 'w', 'ada', 'merging')`,
  );
  await expectRefusal(experiment(), '1 restore(s) run');
  await platform.query('delete from chronawflow.restore');

  await expectRefusal(
    experiment({ faults: [LATENCY, { ...LATENCY, driver: 'toxiproxy.down', parameters: {} }] }),
    'two faults',
  );
  await expectRefusal(experiment({ tenants: ['t1', 'nobody'] }), 'unknown tenants: nobody');
  await expectRefusal(experiment({ tenants: ['t1', 't2', 't3', 't4', 't5', 't6'] }), '6 of 10 tenants');
  await expectRefusal(experiment({ duration: '2h' }), 'longer than chaos.maxDuration');
}, 60_000);

test('on a game day every step waits for a person', async () => {
  const started = await chaos.cf.chaos.run({
    experiment: experiment({}, { method: [action('poke', '/game-day')] }),
    requestedBy: 'ada',
    confirmEachStep: true,
  });
  const awaits = async (step: string) => {
    await until(async () => (await started.status()).awaits?.startsWith(step) === true, {
      what: `${step} to wait`,
    });
  };
  await awaits('inject');
  expect(await findFault(chaos.stage, proxy)).toBeUndefined();
  await started.confirm({ as: 'grace' });
  await awaits('action poke');
  expect(chaos.service.requests).not.toContain('POST /game-day');
  await expect(started.confirm({ as: 'grace', step: 'another' })).rejects.toMatchObject({
    code: 'APPROVAL_CLOSED',
  });
  await started.confirm({ as: 'grace', step: 'action poke' });
  await awaits('roll back');
  await started.confirm({ as: 'mary' });
  const report = await started.result();
  expect(report.verdict).toBe('passed');
  expect(report.confirmations.map(({ by }) => by)).toEqual(['grace', 'grace', 'mary']);
}, 60_000);

test('in production nothing begins before somebody else has approved it', async () => {
  const production = await chaos.inProduction();
  try {
    const started = await production.cf.chaos.run({ experiment: experiment(), requestedBy: 'ada' });
    await until(async () => (await started.status()).phase === 'awaiting-approval', { what: 'the question' });
    expect(await findFault(chaos.stage, proxy)).toBeUndefined();
    await expect(started.approve({ as: 'ada' })).rejects.toMatchObject({ code: 'APPROVAL_BY_REQUESTER' });
    await started.approve({ as: 'grace' });
    expect(await started.result()).toMatchObject({ verdict: 'passed', approvedBy: 'grace' });
  } finally {
    await production.stop();
  }
}, 90_000);

test('load before, during and after shows the fault in its percentiles', async () => {
  const load = { url: `${chaos.service.url}/load`, ratePerSecond: 20, around: '1s' };
  const report = await run(experiment({ load }));
  expect(report.load?.map(({ window }) => window)).toEqual(['before', 'during', 'after']);
  expect(report.load?.every(({ requests, failed }) => requests === 20 && failed === 0)).toBe(true);
}, 60_000);

test('a schedule has a next run, and none on a blackout day', async () => {
  const { schedules } = chaos.cf.chaos;
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const after = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  const request = { name: 'weekly', experiment: experiment(), requestedBy: 'ada', cron: '59 23 * * *' };
  await schedules.set(request);
  await schedules.set({ ...request, blackout: [tomorrow] });
  const [found] = await schedules.list();
  expect(found).toMatchObject({ name: 'weekly', runs: 0, paused: false });
  expect(found?.nextRuns.some((time) => time.startsWith(tomorrow))).toBe(false);
  expect(found?.nextRuns.some((time) => time.startsWith(after))).toBe(true);
  await expect(schedules.set({ ...request, blackout: ['2026-02-30'] })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
  await expect(schedules.set({ ...request, name: 'other', cron: 'often' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
  await schedules.remove('weekly');
  await expect(schedules.remove('weekly')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
}, 60_000);

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
          provider: { type: 'http', url: '${service}', timeout: [3, 3] },
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
  expect(await findFault(chaos.stage, { ...proxy, target: 'proxy-3' })).toBeUndefined();
}, 60_000);

const cli = async (...args: string[]) => {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, CHRONAWFLOW_CONFIG: chaos.stage.configFile, NO_COLOR: '1' },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  const [code] = await once(child, 'close');
  return { code, ...output };
};

test('the suite judges a catalogue, refuses what lacks a target, and writes its reports', async () => {
  const catalogue = join(chaos.stage.directory, 'catalogue');
  const out = join(chaos.stage.directory, 'suite');
  mkdirSync(catalogue);
  const write = (name: string, document: object) =>
    writeFileSync(join(catalogue, name), JSON.stringify(document));
  const load = { url: `${chaos.service.url}/load`, ratePerSecond: 10, around: '1s' };
  write('a.json', { ...experiment({ load }), tags: ['weight:3'] });
  write('b.json', {
    ...experiment({ faults: [{ ...LATENCY, target: 'nowhere' }] }),
    title: 'lacks its target',
  });
  const { code, stdout } = await cli('chaos', 'suite', '--directory', catalogue, '--out', out, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    score: { score: 100, coverage: 0.75 },
    entries: [
      { file: 'a.json', verdict: 'passed', weight: 3, residual: 0 },
      { file: 'b.json', verdict: 'refused' },
    ],
  });
  expect(code).toBe(0);
  expect(readFileSync(join(out, 'junit.xml'), 'utf8')).toContain(
    'tests="2" failures="0" errors="0" skipped="1"',
  );
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toMatch(/<svg.*toxiproxy\.latency/);
}, 90_000);

test('the command line says where an experiment is wrong, what a dry run would do, and exits accordingly', async () => {
  const file = join(chaos.stage.directory, 'x.yaml');
  writeFileSync(file, 'title: t\nmethod:\n  - type: action\n    name: a\n    provider: { type: ssh }\n');
  const wrong = await cli('chaos', 'run', file);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringMatching(/CHAOS_EXPERIMENT_INVALID.*line 5, column/),
  ]);
  writeFileSync(file, JSON.stringify(experiment()));
  const dry = await cli('chaos', 'dry-run', file);
  expect([dry.code, dry.stdout]).toEqual([
    0,
    expect.stringContaining('inject toxiproxy.latency into proxy-1'),
  ]);
  writeFileSync(file, JSON.stringify(experiment({ faults: [{ ...LATENCY, target: 'production' }] })));
  expect((await cli('chaos', 'run', file)).code).toBe(3);
}, 90_000);

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
    experiment: experiment({ faults: [flood], duration: '60s' }),
    requestedBy: 'ada',
  });
  await until(async () => (await running()) === 30, { what: 'the flood', limitMs: 60_000 });
  await started.abort();
  expect(await started.result()).toMatchObject({
    residual: 0,
    faults: [{ driver: 'temporal.queue-flooded' }],
  });
  await until(async () => (await running()) === 0, { what: 'visibility to hear of it' });
}, 120_000);

test('the big red button works with Temporal away', async () => {
  const started = await chaos.cf.chaos.run({
    experiment: experiment({ duration: '60s' }),
    requestedBy: 'ada',
  });
  await until(async () => (await started.status()).phase === 'observing', { what: 'the fault to be there' });
  await chaos.temporal.kill();
  const { code, stdout } = await cli('chaos', 'abort', '--all');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/Ended and proved: f[0-9a-f]{12}\./)]);
  expect(await findFault(chaos.stage, proxy)).toBeUndefined();
  await chaos.temporal.start();
  expect(await started.result()).toMatchObject({
    verdict: 'aborted',
    residual: 0,
    abort: { kind: 'lease-ended' },
  });
}, 120_000);
