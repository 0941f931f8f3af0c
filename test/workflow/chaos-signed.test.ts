import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { ChaosRun } from '../../client/chaos';
import { operatorsConfig } from '../../config/operators';
import { runParameters } from '../../core/chaos';
import { consentTo } from '../../core/operators';
import { ADVISORY_LOCKS } from '../../database';
import { chaosMessageNames, chaosWorkflowName } from '../../workflows/chaos-contract';
import { controlTaskQueue } from '../../workflows/control-contract';
import { findFault } from '../support/chaos-checker';
import {
  type ChaosDeployment,
  type ProductionDeployment,
  startChaosDeployment,
} from '../support/chaos-temporal';
import { failureCode } from '../support/failure-code';
import { completeInItsPlace } from '../support/forged-completion';
import { SigningPeople } from '../support/signing-people';
import { until } from '../support/until';

/** Experiments in production where operators sign: whoever has Temporal and no key disturbs nothing. */

Runtime.install({ logger: new DefaultLogger('ERROR') });

const CLI = join(__dirname, '..', '..', 'dist', 'client', 'cli', 'main.js');

let chaos: ChaosDeployment;
let production: ProductionDeployment;
let people: SigningPeople;
let connection: Connection;
let temporal: Client;

beforeAll(async () => {
  chaos = await startChaosDeployment({ leaseTerm: '1m' });
  people = new SigningPeople({
    ada: [{ role: 'chaos' }],
    dora: [{ role: 'chaos', tenants: ['t1'] }],
    grace: [{ role: 'approver' }],
    hopper: [{ role: 'approver' }],
    vera: [{ role: 'viewer' }],
  });
  production = await chaos.inProduction(operatorsConfig.parse(people.section({ chaos: 1 })));
  await people.join(production.config);
  connection = await Connection.connect({ address: chaos.temporal.address });
  temporal = new Client({ connection });
}, 240_000);
afterAll(async () => {
  await people?.leave();
  await connection?.close();
  await production?.stop();
  await chaos?.stop();
}, 240_000);

const as = (name: string) => people.as(name, production.config);
const LATENCY = { driver: 'toxiproxy.latency', target: 'proxy-1', parameters: { latencyMs: 100 } };
const proxy = { id: '', driver: 'toxiproxy.latency', target: 'proxy-1' };

function experiment(extension: object = {}, more: object = {}): Record<string, unknown> {
  return {
    title: `signed ${randomUUID().slice(0, 8)}`,
    method: [],
    extensions: [{ name: 'chronawflow', faults: [LATENCY], duration: '1s', recovery: '0s', ...extension }],
    ...more,
  };
}

const phase = (run: ChaosRun, wanted: string) =>
  until(async () => (await run.status()).phase === wanted, { what: wanted, limitMs: 60_000 });

/** Starts an experiment as anybody can who reaches Temporal. */
const start = (input: object, workflowId: string) =>
  temporal.workflow.start(chaosWorkflowName, {
    workflowId,
    taskQueue: controlTaskQueue(production.config.temporal.taskQueue),
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });

const untouched = async () => expect(await findFault(chaos.stage, proxy)).toBeUndefined();

async function refusals(owner: string): Promise<readonly unknown[]> {
  const { rows } = await chaos.stage.platform.query<{ outcome: string }>(
    `select outcome from chronawflow.audit_event
     where action = 'operators.intent-refused' and request like $1 order by at`,
    [`%${owner}%`],
  );
  return rows.map(({ outcome }) => outcome);
}

test('an experiment is asked for and approved by keys, and each use of one is in the audit log', async () => {
  const document = experiment();
  const run = await (await as('ada')).chaos.run({ experiment: document, reason: 'release 4.2' });
  await phase(run, 'awaiting-approval');
  await untouched();
  const handle = temporal.workflow.getHandle(run.workflowId);
  const raw = (decision: object) =>
    failureCode(handle.executeUpdate(chaosMessageNames.approve, { args: [decision] }));
  await expect(raw({ as: 'grace' })).resolves.toBe('INTENT_MISSING');
  const { request } = await run.status();
  const consent = await people.sign(chaos.stage.platform, 'grace', consentTo(request));
  await expect(raw({ as: 'hopper', intent: consent })).resolves.toBe('INTENT_MISMATCH');
  await expect(failureCode((await as('vera')).chaos.handle(run.workflowId).approve())).resolves.toBe(
    'INTENT_OUT_OF_SCOPE',
  );
  await (await as('grace')).chaos.handle(run.workflowId).approve();
  const report = await run.result();
  expect(report).toMatchObject({ verdict: 'passed', residual: 0, requestedBy: 'ada', approvedBy: 'grace' });
  expect(report.faults).toMatchObject([{ injected: true, reason: 'rolled-back' }]);
  const { rows } = await chaos.stage.platform.query(
    `select distinct actor, object from chronawflow.audit_event
     where action = 'operators.intent-used' and request like $1 order by actor`,
    [`%${run.workflowId}%`],
  );
  expect(rows).toEqual([
    { actor: 'ada', object: 'chaos.run' },
    { actor: 'grace', object: 'intent.approve' },
  ]);
  expect(await refusals(run.workflowId)).toEqual(
    expect.arrayContaining(['INTENT_MISSING', 'INTENT_OUT_OF_SCOPE']),
  );
  // The same request under the same name, started once more.
  const again = await start(
    { experiment: document, requestedBy: 'ada', reason: 'release 4.2', intent: request },
    run.workflowId,
  );
  await expect(failureCode(again.result())).resolves.toBe('INTENT_REPLAYED');
}, 240_000);

test('an experiment that is started around the command line disturbs nothing', async () => {
  const document = experiment();
  const workflowId = `chaos/forged/${randomUUID()}`;
  const input = { experiment: document, requestedBy: 'ada' };
  const wanted = { action: 'chaos.run', parameters: runParameters(workflowId, input) } as const;
  const sign = (name: string, lifetimeMs?: number) =>
    people.sign(chaos.stage.platform, name, wanted, lifetimeMs);
  const good = await sign('ada');
  const attempt = async (change: object, id = workflowId) =>
    failureCode((await start({ ...input, ...change }, id)).result());
  await expect(attempt({})).resolves.toBe('INTENT_MISSING');
  await expect(attempt({ intent: good, experiment: experiment() })).resolves.toBe('INTENT_MISMATCH');
  await expect(attempt({ intent: good }, `chaos/forged/${randomUUID()}`)).resolves.toBe('INTENT_MISMATCH');
  await expect(attempt({ intent: good, requestedBy: 'grace' })).resolves.toBe('INTENT_MISMATCH');
  await expect(attempt({ intent: await sign('ada', 0) })).resolves.toBe('INTENT_EXPIRED');
  await expect(attempt({ intent: await sign('vera'), requestedBy: 'vera' })).resolves.toBe(
    'INTENT_OUT_OF_SCOPE',
  );
  // Used by that execution that was refused for its name, and good for no other.
  await expect(attempt({ intent: good })).resolves.toBe('INTENT_REPLAYED');
  await untouched();
  expect(new Set(await refusals(workflowId))).toEqual(
    new Set([
      'INTENT_MISSING',
      'INTENT_MISMATCH',
      'INTENT_EXPIRED',
      'INTENT_OUT_OF_SCOPE',
      'INTENT_REPLAYED',
    ]),
  );
}, 240_000);

test('a forged result of the step that verifies an approval gains nothing: the injection verifies for itself', async () => {
  const run = await (await as('ada')).chaos.run({ experiment: experiment() });
  await phase(run, 'awaiting-approval');
  const handle = temporal.workflow.getHandle(run.workflowId);
  // Verification waits for the registry, and so the attacker is faster.
  const holder = await chaos.stage.platform.connect();
  try {
    await holder.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.operatorRegistry]);
    const stolen = await people.sign(chaos.stage.platform, 'ada', {
      action: 'chaos.run',
      parameters: { any: 'thing' },
    });
    await handle.startUpdate(chaosMessageNames.approve, {
      args: [{ as: 'grace', intent: stolen }],
      waitForStage: 'ACCEPTED',
    });
    await completeInItsPlace(temporal, handle, 'verifyChaosDecision', undefined);
    await phase(run, 'injecting');
  } finally {
    await holder.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.operatorRegistry]);
    holder.release();
  }
  const report = await run.result();
  expect(report).toMatchObject({ residual: 0, faults: [{ injected: false }] });
  await untouched();
  expect(await refusals(run.workflowId)).toContain('INTENT_MISMATCH');
}, 240_000);

test('on a game day each step is let begin by a key, and a revocation in between stops the next one', async () => {
  const poke = {
    type: 'action',
    name: 'poke',
    provider: { type: 'http', url: `${chaos.service.url}/signed-poke`, method: 'POST' },
  };
  const document = experiment({}, { method: [poke] });
  const run = await (await as('ada')).chaos.run({ experiment: document, confirmEachStep: true });
  await phase(run, 'awaiting-approval');
  await (await as('hopper')).chaos.handle(run.workflowId).approve();
  const awaits = (step: string) =>
    until(async () => (await run.status()).awaits?.startsWith(step) === true, {
      what: step,
      limitMs: 60_000,
    });
  await awaits('inject');
  const handle = temporal.workflow.getHandle(run.workflowId);
  await expect(
    failureCode(handle.executeUpdate(chaosMessageNames.confirm, { args: [{ as: 'ada' }] })),
  ).resolves.toBe('INTENT_MISSING');
  await untouched();
  await run.confirm();
  await awaits('action poke');
  expect(await findFault(chaos.stage, proxy)).toBeDefined();
  await (await as('root')).operators.revoke('hopper', 'laptop stolen');
  await run.confirm();
  await awaits('roll back');
  await run.confirm();
  const report = await run.result();
  expect(report.runs).toMatchObject([{ status: 'failed' }]);
  expect(chaos.service.requests).not.toContain('POST /signed-poke');
  // What was begun with his consent is taken back without it.
  expect(report).toMatchObject({ residual: 0, faults: [{ injected: true, reason: 'rolled-back' }] });
  await untouched();
  expect(await refusals(run.workflowId)).toEqual(['INTENT_MISSING', 'OPERATOR_REVOKED']);
}, 240_000);

test('a role for one tenant is for faults that hit that tenant alone', async () => {
  const dora = await as('dora');
  const wide = await dora.chaos.run({ experiment: experiment({ tenants: ['t1'] }) });
  await expect(failureCode(wide.result())).resolves.toBe('INTENT_OUT_OF_SCOPE');
  const calls = { driver: 'calls.error', target: 'calls', parameters: {} };
  const narrow = await dora.chaos.run({
    experiment: experiment({ tenants: ['t1'], faults: [calls] }),
  });
  // The host of this test allows no calls: it is past the question who may.
  await expect(failureCode(narrow.result())).resolves.toBe('CHAOS_TARGET_NOT_ALLOWED');
  const others = await dora.chaos.run({
    experiment: experiment({ tenants: ['t1'], faults: [{ ...calls, parameters: { tenants: ['t2'] } }] }),
  });
  await expect(failureCode(others.result())).resolves.toBe('INTENT_OUT_OF_SCOPE');
}, 240_000);

test('a schedule is signed and consented to once, and runs that experiment and no other', async () => {
  const ada = await as('ada');
  const document = experiment();
  const request = { name: `weekly-${randomUUID().slice(0, 8)}`, experiment: document, cron: '59 23 1 1 *' };
  const { intent } = await ada.chaos.schedules.request(request);
  const consent = await people.sign(chaos.stage.platform, 'grace', consentTo(intent));
  await ada.chaos.schedules.set({ ...request, signed: { intent, approvals: [consent] } });
  const schedule = temporal.schedule.getHandle(`chaos-schedule/${request.name}`);
  await schedule.trigger();
  let started = '';
  await until(
    async () => {
      const { info } = await schedule.describe();
      const [latest] = info.recentActions;
      started = latest?.action.workflow.workflowId ?? '';
      return started !== '';
    },
    { what: 'the schedule to run', limitMs: 60_000 },
  );
  const report = await temporal.workflow.getHandle(started).result();
  expect(report).toMatchObject({ verdict: 'passed', requestedBy: 'ada', residual: 0 });
  const terms = { name: request.name, cron: request.cron };
  const forged = { requestedBy: 'ada', schedule: terms, intent, approvals: [consent] };
  const attempt = async (input: object) =>
    failureCode((await start(input, `chaos/forged/${randomUUID()}`)).result());
  await expect(attempt({ ...forged, experiment: experiment() })).resolves.toBe('INTENT_MISMATCH');
  await expect(
    attempt({ ...forged, experiment: document, schedule: { ...terms, cron: '* * * * *' } }),
  ).resolves.toBe('INTENT_MISMATCH');
  await ada.chaos.schedules.remove(request.name);
}, 240_000);

test('an abort is signed, and the big red button needs neither a key nor Temporal nor the control plane', async () => {
  const run = await (await as('ada')).chaos.run({ experiment: experiment({ duration: '5m' }) });
  await phase(run, 'awaiting-approval');
  await (await as('grace')).chaos.handle(run.workflowId).approve();
  await phase(run, 'observing');
  await expect(failureCode((await as('vera')).chaos.handle(run.workflowId).abort())).resolves.toBe(
    'INTENT_OUT_OF_SCOPE',
  );
  expect(await findFault(chaos.stage, proxy)).toBeDefined();

  const configFile = join(chaos.stage.directory, 'signed.yaml');
  const raw: object = JSON.parse(await readFile(chaos.stage.configFile, 'utf8'));
  await writeFile(configFile, JSON.stringify({ ...raw, operators: people.section({ chaos: 1 }) }));
  await chaos.temporal.kill();
  await chaos.stage.controlPlane.halt('immediate');
  try {
    const { CHRONAWFLOW_OPERATOR_KEY: _, ...env } = process.env;
    const child = spawn(process.execPath, [CLI, 'chaos', 'abort', '--all'], {
      env: { ...env, CHRONAWFLOW_CONFIG: configFile, NO_COLOR: '1' },
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    const [code] = await once(child, 'close');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Ended and proved: f[0-9a-f]{12}\./)]);
    expect(stdout).toMatch(/Other hosts were not asked/);
    await untouched();
  } finally {
    await chaos.stage.controlPlane.start();
    await chaos.temporal.start();
  }
  expect(await run.result()).toMatchObject({ verdict: 'aborted', residual: 0 });
}, 240_000);
