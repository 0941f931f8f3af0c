import fastify, { type FastifyInstance } from 'fastify';
import type { Pool } from 'pg';
import pino from 'pino';
import { z } from 'zod';
import { Chronawflow } from '../../client';
import { type Config, parseConfig } from '../../config';
import { Degradation, loadSheddingHooks } from '../../core/degradation';
import { deferredJobId, defineJob } from '../../core/jobs';
import { applyMigrations, createPool } from '../../database';
import { createControlWorker } from '../../workers/create-control-worker';
import { CleanUp } from '../support/clean-up';
import { QUICK } from '../support/degradation-stage';
import { type JobStage, rawJobConfig, startJobStage, startJobWorker } from '../support/job-stage';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { startTcpSwitch, type TcpSwitch } from '../support/tcp-switch';
import { until } from '../support/until';

/** A failover: the application's address leads to a standby, which is promoted later. */

/** Key of a job → when its code first began. */
const began = new Map<string, number>();
let reports = 0;

const postEntry = defineJob({
  type: 'post-entry',
  core: true,
  input: z.object({ amount: z.number() }),
  run: async (ctx, { amount }) => {
    if (!began.has(ctx.key)) began.set(ctx.key, performance.now());
    await ctx.once('insert', async (tx) => {
      await tx.query('insert into effect values ($1)', [`${ctx.key}: ${amount}`]);
    });
  },
});

const cleanUp = new CleanUp();
let stage: JobStage;
let standby: RealPostgres;
let address: TcpSwitch;
let config: Config;
let app: Pool;
let cf: Chronawflow;
let web: Degradation;
let server: FastifyInstance;

beforeAll(async () => {
  stage = await startJobStage();
  cleanUp.add(() => stage.stop());
  const primary = await startPostgres({ tcp: true });
  cleanUp.add(() => primary.stop());
  const first = await primary.createDatabase('app');
  await applyMigrations(first, 'application');
  await first.query(`create table tenants (id text primary key); insert into tenants values ('t1');
    create table effect (name text not null)`);
  standby = await startPostgres({ tcp: true, standbyOf: primary });
  cleanUp.add(() => standby.stop());
  address = await startTcpSwitch(primary.port);
  cleanUp.add(() => address.stop());

  const reach = { host: '127.0.0.1', port: address.port };
  const raw = {
    ...rawJobConfig(stage, {}, 'read-only', reach),
    degradation: { ...QUICK, staleAfter: '10s' },
  };
  config = parseConfig(JSON.stringify(raw), { file: '/tmp/chronawflow.yaml', env: {} });
  app = createPool(config.application.database, { applicationName: 'web', max: 2 });
  cleanUp.add(() => app.end());
  const worker = await startJobWorker(stage, config, [postEntry]);
  cleanUp.add(() => worker.stop());
  const control = await createControlWorker({
    config,
    log: pino({ level: 'silent' }),
    workflows: { workflowBundle: stage.bundle },
  });
  const ended = control.run();
  cleanUp.add(async () => {
    control.shutdown();
    await ended;
  });
  cf = await Chronawflow.connect({ config, jobs: [postEntry] });
  cleanUp.add(() => cf.close());
  const countReports = () => {
    reports += 1;
    return [];
  };
  web = await Degradation.start(config, { name: 'web', signals: [countReports] });
  cleanUp.add(() => web.close());
  server = await startWeb();
  cleanUp.add(() => server.close());
}, 300_000);
afterAll(() => cleanUp.run(), 120_000);

/** Entries can be put into the durable queue; payments cannot. */
async function startWeb(): Promise<FastifyInstance> {
  const body = z.object({ key: z.string(), amount: z.number() });
  const site = fastify();
  const shedding = loadSheddingHooks<{ url: string; method: string; body: unknown }>({
    degradation: web,
    classify: ({ url, method }) => ({ feature: url.split('/')[1], writes: method === 'POST' }),
    queueWrite: async (request) => {
      if (request.url !== '/post-entry') return undefined;
      const { key, amount } = body.parse(request.body);
      const job = await cf.jobs.defer({ tenant: 't1', type: 'post-entry', key, input: { amount } });
      return { status: 202, body: { job: job.ref.key } };
    },
  });
  site.addHook('onRequest', shedding.onRequest);
  site.addHook('preHandler', shedding.preHandler);
  site.addHook('onResponse', shedding.onResponse);
  site.post('/*', async (request) => {
    const { key, amount } = body.parse(request.body);
    await app.query('insert into effect values ($1)', [`${key}: ${amount}`]);
    return { written: key };
  });
  site.get('/*', async () => (await app.query('select name from effect order by name')).rows);
  return site;
}

const post = (url: string, key: string) =>
  server.inject({ method: 'POST', url, payload: { key, amount: 1 } });
const WRITE = { feature: 'post-entry', writes: true };
const writesAreTaken = (taken: boolean) =>
  until(() => web.admit(WRITE).admitted === taken, {
    limitMs: 90_000,
    what: `writes to be ${taken ? 'taken' : 'refused'}`,
  });
const effects = async () =>
  (await app.query<{ name: string }>('select name from effect order by name')).rows.map(({ name }) => name);

test('after a switch to a standby core writes go to the durable queue or get 503, and none is lost or done twice', async () => {
  expect((await post('/post-entry', 'before')).statusCode).toBe(200);
  const behind = standby.connect('app');
  await until(async () => (await behind.query('table effect')).rowCount === 1, {
    what: 'the standby to have it',
  });
  address.lead(standby.port);
  await writesAreTaken(false);
  expect(web.level()).toBe('normal');

  const queued = await post('/post-entry', 'during');
  expect([queued.statusCode, queued.json()]).toEqual([202, { job: 'during' }]);
  // A client that asks again is told the same.
  expect((await post('/post-entry', 'during')).statusCode).toBe(202);
  await expect(
    cf.jobs.defer({ tenant: 't1', type: 'post-entry', key: 'during', input: { amount: 2 } }),
  ).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  const refused = await post('/take-payment', 'refused');
  expect(refused.statusCode).toBe(503);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(refused.json()).toMatchObject({ code: 'WRITES_REFUSED', status: 503 });
  expect((await server.inject({ method: 'GET', url: '/sign-in' })).statusCode).toBe(200);
  expect(await effects()).toEqual(['before: 1']);
  const id = deferredJobId({ tenant: 't1', type: 'post-entry', key: 'during' });
  expect((await stage.describe(id)).status.name).toBe('RUNNING');

  await standby.connect('postgres').query('select pg_promote()');
  await writesAreTaken(true);
  await until(async () => (await effects()).includes('during: 1'), {
    limitMs: 90_000,
    what: 'the write that was queued to be done',
  });
  await expect(stage.client.workflow.getHandle(id).result()).resolves.toBe('submitted');
  await cf.jobs.handle({ tenant: 't1', type: 'post-entry', key: 'during' }).result();
  expect(await effects()).toEqual(['before: 1', 'during: 1']);
  expect((await post('/take-payment', 'after')).statusCode).toBe(200);
}, 300_000);

test('a database that is set to read only refuses writes until it is set back, and jobs of the core wait as well', async () => {
  const admin = standby.connect('postgres');
  const set = async (setting: string) => {
    await admin.query(`alter system ${setting}`);
    await admin.query('select pg_reload_conf()');
  };
  await set('set default_transaction_read_only = on');
  try {
    await writesAreTaken(false);
    expect((await post('/post-entry', 'held')).statusCode).toBe(202);
    expect((await post('/take-payment', 'no')).statusCode).toBe(503);
    expect(await effects()).not.toContain('held: 1');
  } finally {
    await set('reset default_transaction_read_only');
  }
  await writesAreTaken(true);
  await until(async () => (await effects()).includes('held: 1'), { limitMs: 90_000, what: 'the entry' });
}, 300_000);

test('read only by hand keeps jobs of the core from beginning as well, though the database takes them', async () => {
  await cf.degradation.setReadOnly({ as: 'ada', reason: 'migration', for: '10m' });
  await writesAreTaken(false);
  await until(async () => (await stage.platform.query(FOLLOWED)).rowCount === 1, {
    limitMs: 60_000,
    what: 'every process to follow',
  });
  await cf.jobs.submit({ tenant: 't1', type: 'post-entry', key: 'waits', input: { amount: 1 } });
  // Time for a worker that does not hold it to begin: it claims ten times a second.
  const before = reports;
  await until(() => reports >= before + 4, { limitMs: 60_000, what: 'four reports' });
  const endedAt = performance.now();
  await cf.degradation.endReadOnly({ as: 'ada', reason: 'done' });
  await until(async () => (await effects()).includes('waits: 1'), { limitMs: 90_000, what: 'the entry' });
  expect(began.get('waits')).toBeGreaterThan(endedAt);
}, 300_000);

/** A row when every process has applied what is published. */
const FOLLOWED = `select from chronawflow.degradation_level l where scope = 'platform' and not exists (
  select from chronawflow.degradation_process p where coalesce((p.applied ->> 'platform')::int, 0) < l.version)`;
