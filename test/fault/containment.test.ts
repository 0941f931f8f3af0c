import { join } from 'node:path';
import { runProgram } from '../../core/cluster';
import { packageRoot } from '../../core/local-stack';
import { BreakerRegistry, SharedBreakers } from '../../core/protection';
import { ConfiguredRateLimits } from '../../core/rate-limit';
import { CleanUp } from '../support/clean-up';
import {
  effectsOn,
  openContainmentScene,
  startContainmentStage,
  whatStands,
  writes,
} from '../support/containment-scene';
import type { JobStage } from '../support/job-stage';
import { until } from '../support/until';

const ALL = ['breaker', 'floor', 'gate', 'hold'];
/** Long enough that a slow machine renews it in time. */
const STEADY = { containment: { lease: '1m', tenantBreakers: [{ service: 'tax', operation: 'rate' }] } };
/** Short, where its end is what is waited for. */
const FLEETING = { containment: { ...STEADY.containment, lease: '10s' } };
const ISOLATE = { strategy: 'isolate-tenant', tenant: 't1', reason: 'a test', for: '1h' } as const;
const NOTHING = { holds: [], gates: [], functions: [], rules: [], breakers: [] };
const RULE = { kind: 'fixed-window', limit: 1_000, window: '1s' } as const;

let stage: JobStage;
let cleanUp: CleanUp;
beforeAll(async () => {
  stage = await startContainmentStage();
}, 240_000);
afterAll(() => stage?.stop());
beforeEach(() => {
  cleanUp = new CleanUp();
});
afterEach(async () => {
  await cleanUp.run();
  await stage.platform.query(
    `update chronawflow.containment set state = 'ended', ended_at = clock_timestamp() where state <> 'ended';
     update chronawflow.containment_part set holds = false where holds;
     truncate chronawflow.rate_rule, chronawflow.breaker_state`,
  );
  await stage.app.query('truncate chronawflow.job_hold, chronawflow.job');
}, 240_000);

/** A scene whose controller runs. */
const begin = async (sections: Readonly<Record<string, unknown>>) => {
  const scene = await openContainmentScene(stage, cleanUp, sections);
  return { ...scene, control: await scene.startControl() };
};
const reach = (tenant: string, effects: readonly string[]) =>
  until(async () => (await effectsOn(stage, tenant)).join() === effects.join(), {
    limitMs: 90_000,
    what: `${tenant} to have ${effects.join(', ') || 'no effect'}`,
  });
const stateOf = async (id: string) => {
  const { rows } = await stage.platform.query<{ state: string; outcome: string | null }>(
    'select state, outcome from chronawflow.containment where id = $1',
    [id],
  );
  return rows[0]?.outcome ?? rows[0]?.state;
};

test('isolates a tenant, and its release leaves exactly what was before (invariants 1 and 3)', async () => {
  const { cf, configFile } = await begin(STEADY);
  await stage.app.query(
    `insert into chronawflow.job_hold (tenant, kind, reason, held_by) values ('t1', 'quarantine', 'by hand', 'ada')`,
  );
  await stage.platform.query(
    `insert into chronawflow.rate_rule (tenant, rules, version, changed_by)
       values ('t1', '{"rule": {"kind": "fixed-window", "limit": 7, "window": 1000}}', nextval('chronawflow.rate_rule_version'), 'ada');
     insert into chronawflow.breaker_state (service, operation, tenant, generation, state, reason, changed_by)
       values ('bank', 'pay', 't1', 3, 'isolated', 'by hand', 'ada')`,
  );
  const before = await whatStands(stage);

  const domains = await cf.failureDomains();
  const run = await domains.isolateTenantFailure({ tenant: 't1', reason: 'it floods' });
  await until(async () => (await run.status()).phase === 'holding', { limitMs: 60_000 });
  expect(await effectsOn(stage, 't1')).toEqual(ALL);
  expect(await writes(stage, 't2')).toBe(true);
  const [listed] = await cf.containment.list();
  expect(listed).toMatchObject({ id: run.id, state: 'active', reason: 'it floods' });
  expect(listed?.parts).toContainEqual({
    resource: 'breaker/bank/pay/t1',
    state: 'left',
    note: expect.stringContaining('stays as it is'),
  });

  // Changed by hand meanwhile: that is not lost either.
  await stage.app.query(`update chronawflow.job_hold set reason = 'still' where kind = 'quarantine'`);
  const cli = join(packageRoot(), 'dist', 'client', 'cli', 'main.js');
  const released = await runProgram(process.execPath, [
    cli,
    'contain',
    'release',
    run.id,
    '--config',
    configFile,
    '--json',
  ]);
  expect(JSON.parse(released.stdout)).toEqual({ id: run.id, released: true });
  const blast = await runProgram(process.execPath, [
    cli,
    'domains',
    'blast',
    'application-database',
    '--config',
    configFile,
    '--json',
  ]);
  expect(JSON.parse(blast.stdout).tenants).toEqual({ down: 9, impaired: 0, of: 9 });
  expect(await run.result()).toMatchObject({ outcome: 'released', notices: [] });
  expect(await effectsOn(stage, 't1')).toEqual([]);
  expect(JSON.stringify(await whatStands(stage)).replace('still', 'by hand')).toBe(JSON.stringify(before));
  const { rows } = await stage.platform.query<{ action: string; outcome: string }>(
    `select action, outcome from chronawflow.audit_event where object = $1 order by at`,
    [run.id],
  );
  const told = rows.map(({ action, outcome }) => `${action} ${outcome}`);
  expect(told).toEqual([
    'containment.apply applied',
    'containment.apply applied',
    'containment.apply applied',
    'containment.apply left',
    'containment.apply applied',
    'containment.end released',
  ]);
  // Written in the application's database, they name the run as well.
  const { runId } = await stage.describe(run.workflowId);
  const { rows: ofJobs } = await stage.app.query(
    `select action, request, run from chronawflow.audit_outbox where actor like '%' || $1 order by seq`,
    [run.id],
  );
  expect(ofJobs).toEqual(
    ['job.containment', 'job.release'].map((action) => ({ action, request: run.workflowId, run: runId })),
  );
}, 240_000);

test('several tenants at once, one containment each; its time ends it (invariant 4)', async () => {
  const { cf } = await begin(STEADY);
  const tenants = ['t3', 't4'];
  const [first, ...others] = await Promise.all(
    tenants.map((tenant) => cf.containment.contain({ strategy: 'read-only', tenant, reason: 'a test' })),
  );
  const short = await cf.containment.contain({
    strategy: 'read-only',
    tenant: 't5',
    reason: 'short',
    for: '4s',
  });
  for (const tenant of tenants) await reach(tenant, ['gate', 'hold']);
  const second = await cf.containment.contain({ strategy: 'isolate-tenant', tenant: 't3', reason: 'again' });
  await expect(second.result()).rejects.toMatchObject({
    code: 'CONTAINMENT_CONFLICT',
    message: expect.stringContaining(first?.id ?? 'no run'),
  });
  expect(await short.result()).toMatchObject({ outcome: 'expired' });
  await Promise.all([first, ...others].map((run) => run?.release()));
  for (const tenant of [...tenants, 't5']) expect(await effectsOn(stage, tenant)).toEqual([]);
}, 240_000);

test('a breaker and an endpoint are contained as well, and may be for nobody’s tenant', async () => {
  const { cf } = await begin(STEADY);
  const breaker = await cf.containment.contain({
    strategy: 'open-breaker',
    service: 'bank',
    operation: 'pay',
    tenant: '',
    reason: 'answers with nonsense',
  });
  const endpoint = await cf.containment.contain({
    strategy: 'drain-endpoint',
    service: 'tax',
    endpoint: 'https://a.example',
    redirect: 'https://c.example',
    reason: 'its disk fails',
  });
  for (const run of [breaker, endpoint])
    await until(async () => (await run.status()).phase === 'holding', { limitMs: 60_000 });
  const standing = async () =>
    (
      await stage.platform.query<{ what: string }>(
        `select service || ' ' || state as what from chronawflow.breaker_state where state = 'isolated'
         union all select service || ' to ' || redirect from chronawflow.endpoint_drain where until > clock_timestamp()
         order by 1`,
      )
    ).rows.map(({ what }) => what);
  expect(await standing()).toEqual(['bank isolated', 'tax to https://c.example']);
  await Promise.all([breaker.release(), endpoint.release()]);
  expect(await standing()).toEqual([]);
}, 240_000);

test('a part that cannot be applied is named, and the others hold (invariant 6)', async () => {
  const { cf } = await begin(STEADY);
  const run = await cf.containment.contain({
    strategy: 'isolate-tenant',
    tenant: 'nobody',
    reason: 'a typo',
  });
  await until(async () => (await run.status()).phase === 'holding', { limitMs: 60_000 });
  expect((await run.status()).notices).toEqual(['gate/nobody could not be applied (UNKNOWN_TENANT)']);
  await run.release();
  const gateAlone = await cf.containment.contain({ strategy: 'hold-queue', tenant: 't6', reason: 'a hold' });
  await until(async () => (await gateAlone.status()).phase === 'holding', { limitMs: 60_000 });
  expect(await effectsOn(stage, 't6')).toEqual(['hold']);
  await gateAlone.release();
}, 240_000);

test('a terminated workflow leaves nothing behind its leases (invariant 2)', async () => {
  const { cf } = await begin(FLEETING);
  const run = await cf.containment.contain(ISOLATE);
  await reach('t1', ALL);
  await stage.terminate(run.workflowId);
  await reach('t1', []);
  await until(async () => (await stateOf(run.id)) === 'lapsed', { limitMs: 60_000, what: 'the reaper' });
  await until(
    async () =>
      (
        await stage.platform.query(`select from chronawflow.containment where id = $1 and state = 'ended'`, [
          run.id,
        ])
      ).rowCount === 1,
    { limitMs: 60_000 },
  );
  expect(await whatStands(stage)).toMatchObject(NOTHING);
}, 300_000);

test('a killed controller ends it by its leases, and another one brings it back and ends it (invariant 5)', async () => {
  const { cf, control, startControl } = await begin(FLEETING);
  // The gate waits for this writer: killed in the middle of applying.
  const writer = await stage.app.connect();
  await writer.query('begin');
  await writer.query(`insert into notes (tenant_id) values ('t1')`);
  // Not by writing as t1, which would wait for the gate's lock.
  const effectsInTheWay = async () =>
    (
      await stage.app.query<{ effect: string }>(
        `select 'hold' as effect from chronawflow.job_hold where tenant = 't1' and kind = 'containment'`,
      )
    ).rows.map(({ effect }) => effect);
  const run = await cf.containment.contain(ISOLATE);
  await until(async () => (await effectsInTheWay()).includes('hold'), { limitMs: 60_000 });
  await control.kill();
  await writer.query('commit');
  writer.release();
  await reach('t1', []);
  await startControl();
  await reach('t1', ALL);
  await run.release();
  expect(await run.result()).toMatchObject({ outcome: 'released' });
  expect(await whatStands(stage)).toMatchObject(NOTHING);
}, 300_000);

test('processes that cannot reach the databases end what they follow on time (invariant 2)', async () => {
  const { cf, config, control } = await begin({ ...FLEETING, rateLimits: { rule: RULE } });
  const breakers = new BreakerRegistry();
  const shared = new SharedBreakers(stage.platform, breakers, { interval: '200ms', lease: '2s' });
  shared.start();
  cleanUp.add(() => shared.stop());
  const limits = await ConfiguredRateLimits.start(config);
  cleanUp.add(() => limits.close());
  const isIsolated = () =>
    breakers.get({ service: 'tax', operation: 'rate', tenant: 't1' }).getState().state.kind === 'isolated';
  const limitOf = async () => (await limits.limiter.checkRateLimit('t1', 'api')).limit;

  await cf.containment.contain(ISOLATE);
  await until(async () => isIsolated() && (await limitOf()) === 1, {
    limitMs: 60_000,
    what: 'both to follow',
  });
  await control.kill();
  await stage.postgres.halt('immediate');
  try {
    await until(async () => !isIsolated() && (await limitOf()) === 1_000, {
      limitMs: 60_000,
      what: 'both to end by themselves',
    });
  } finally {
    await stage.postgres.start();
  }
  await reach('t1', []);
}, 240_000);

test('a noisy tenant is found and contained by rule, and no more than the rule allows (invariant 8)', async () => {
  const { cf } = await begin({
    containment: {
      ...STEADY.containment,
      noisyTenants: { share: 0.35, minInFlight: 10, every: '500ms', looks: 2, most: 1, for: '1h' },
    },
  });
  await stage.app.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at, lease_until)
     select tenant, 'x', tenant || n, 'f', '{}', 3, 'running', clock_timestamp(), clock_timestamp() + interval '1 hour'
     from (values ('t7', 10), ('t8', 8), ('t9', 2)) v (tenant, many), generate_series(1, many) n`,
  );
  await reach('t7', ALL);
  const { rows } = await stage.platform.query(
    `select tenant, automatic, requested_by from chronawflow.containment where state = 'active'`,
  );
  expect(rows).toEqual([{ tenant: 't7', automatic: true, requested_by: 'rule:noisy-tenant' }]);
  // The next loudest is for a person to decide.
  await until(
    async () =>
      (await cf.escalation.list({ all: true })).some(
        ({ labels }) => labels.alertname === 'ChronawflowContainmentLimit' && labels.tenant === 't8',
      ),
    { limitMs: 60_000, what: 'a person to be asked' },
  );
  expect(await effectsOn(stage, 't8')).toEqual([]);
  const [first] = await cf.containment.list();
  await cf.containment.release(first?.id ?? '');
}, 240_000);
