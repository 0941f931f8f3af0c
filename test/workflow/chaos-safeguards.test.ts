import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { findFault } from '../support/chaos-checker';
import { disturbedProxy, LATENCY, smallExperiments } from '../support/chaos-small-experiments';
import { type ChaosDeployment, startChaosDeployment } from '../support/chaos-temporal';
import { until } from '../support/until';

// Refused experiments are among what is tested; the SDK would report each.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let chaos: ChaosDeployment;
beforeAll(async () => {
  // They are renewed each second: what is held up for a while loses none.
  chaos = await startChaosDeployment({ leaseTerm: '60s' });
  await chaos.startWorker();
}, 300_000);
afterAll(() => chaos?.stop(), 300_000);
beforeEach(() => {
  chaos.service.status = 200;
});

const { experiment, action, refused } = smallExperiments(() => chaos);

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
}, 300_000);

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

  // As a kind of operation adds itself to what must not be disturbed.
  const { rows } = await platform.query<{ view: string }>(
    `select pg_get_viewdef('chronawflow.running_operation') as view`,
  );
  const restores = rows[0]?.view.replace(/;\s*$/, '') ?? '';
  const replace = (definition: string) =>
    platform.query(
      `create or replace view chronawflow.running_operation (kind, tenant, started_at) as ${definition}`,
    );
  await replace(`${restores} union all select 'failover', null, clock_timestamp()`);
  await expectRefusal(experiment(), '1 failover(s) run');
  await replace(restores);

  await expectRefusal(
    experiment({ faults: [LATENCY, { ...LATENCY, driver: 'toxiproxy.down', parameters: {} }] }),
    'two faults',
  );
  await expectRefusal(experiment({ tenants: ['t1', 'nobody'] }), 'unknown tenants: nobody');
  await expectRefusal(experiment({ tenants: ['t1', 't2', 't3', 't4', 't5', 't6'] }), '6 of 10 tenants');
  await expectRefusal(experiment({ duration: '2h' }), 'longer than chaos.maxDuration');
}, 300_000);

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
  expect(await findFault(chaos.stage, disturbedProxy)).toBeUndefined();
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
}, 300_000);

test('in production nothing begins before somebody else has approved it', async () => {
  const production = await chaos.inProduction();
  try {
    const started = await production.cf.chaos.run({ experiment: experiment(), requestedBy: 'ada' });
    await until(async () => (await started.status()).phase === 'awaiting-approval', { what: 'the question' });
    expect(await findFault(chaos.stage, disturbedProxy)).toBeUndefined();
    await expect(started.approve({ as: 'ada' })).rejects.toMatchObject({ code: 'APPROVAL_BY_REQUESTER' });
    await started.approve({ as: 'grace' });
    expect(await started.result()).toMatchObject({ verdict: 'passed', approvedBy: 'grace' });
  } finally {
    await production.stop();
  }
}, 300_000);

test('a schedule has a next run, and none on a blackout day', async () => {
  const { schedules } = chaos.cf.chaos;
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const after = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  const request = { name: 'weekly', experiment: experiment(), requestedBy: 'ada', cron: '59 23 * * *' };
  await schedules.set(request);
  await schedules.set({ ...request, blackout: [tomorrow] });
  // Temporal lists what its index has been told of.
  await until(async () => (await schedules.list()).length > 0, { what: 'the schedule to be listed' });
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
}, 300_000);

const CLI = join(__dirname, '..', '..', 'dist', 'client', 'cli', 'main.js');

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
}, 300_000);

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
}, 300_000);

test('the big red button works with Temporal away', async () => {
  const started = await chaos.cf.chaos.run({
    experiment: experiment({ duration: '10m' }),
    requestedBy: 'ada',
  });
  await until(async () => (await started.status()).phase === 'observing', { what: 'the fault to be there' });
  await chaos.temporal.kill();
  const { code, stdout } = await cli('chaos', 'abort', '--all');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/Ended and proved: f[0-9a-f]{12}\./)]);
  expect(await findFault(chaos.stage, disturbedProxy)).toBeUndefined();
  await chaos.temporal.start();
  expect(await started.result()).toMatchObject({
    verdict: 'aborted',
    residual: 0,
    abort: { kind: 'lease-ended' },
  });
}, 300_000);
