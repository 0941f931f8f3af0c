import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { createProgram } from '../../client/cli/program';
import { CleanUp } from '../support/clean-up';
import { type JobStage, rawJobConfig, startJobStage } from '../support/job-stage';
import { until } from '../support/until';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'client', 'cli', 'main.js');

// Some of these run a dozen commands, one after the other.
jest.setTimeout(300_000);

const cleanUp = new CleanUp();
let stage: JobStage;
let configFile: string;

/** An application's module with jobs, as a user writes it. */
const MODULE = `
const { defineJob } = require(${JSON.stringify(join(ROOT, 'dist', 'client', 'job-types.js'))});
const { z } = require(${JSON.stringify(join(ROOT, 'node_modules', 'zod'))});
const bank = new Set();
exports.jobs = [defineJob({
  type: 'invoice',
  input: z.object({ amount: z.number() }),
  retry: { maxAttempts: 1 },
  run: (ctx, { amount }) => ctx.once('post', async (tx) => {
    if (amount < 0) throw new RangeError('a negative amount');
    await tx.query('insert into effect values ($1)', [ctx.key]);
    return { amount };
  }),
}), defineJob({
  type: 'pay',
  input: z.null(),
  run: async (ctx) => {
    await ctx.once('post', async (tx) => { await tx.query('insert into effect values ($1)', [ctx.key]); });
    bank.add(ctx.key + ' ' + ctx.idempotencyKey('collect'));
    await ctx.once('told', async (tx) => {
      for (const call of bank) await tx.query('insert into effect values ($1)', [call]);
    });
  },
})];
`;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
  stage = await startJobStage();
  cleanUp.add(() => stage.stop());
  configFile = join(stage.temporal.directory, 'chronawflow.yaml');
  const modules = ['jobs.cjs'];
  await writeFile(join(stage.temporal.directory, 'jobs.cjs'), MODULE);
  await writeFile(configFile, stringify(rawJobConfig(stage, { modules }, 'cli')));
  const worker = spawn(process.execPath, [MAIN, 'worker', '--metrics-port', '0'], {
    stdio: 'ignore',
    env: { ...process.env, CHRONAWFLOW_CONFIG: configFile },
  });
  cleanUp.add(async () => {
    worker.kill('SIGTERM');
    if (worker.exitCode === null) await once(worker, 'close');
  });
}, 240_000);
afterAll(() => cleanUp.run(), 120_000);

async function cli(...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'jobs', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', CHRONAWFLOW_CONFIG: configFile, CHRONAWFLOW_OPERATOR: 'ada' },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

const stateOf = async (key: string) =>
  (await stage.app.query<{ state: string }>('select state from chronawflow.job where key = $1', [key]))
    .rows[0]?.state;

const jsonOf = async (...args: readonly string[]) => JSON.parse((await cli(...args, '--json')).stdout);

test('a job of the application’s own module is submitted, run by the worker, and shown', async () => {
  const submitted = await cli('submit', 't1', 'invoice', 'k1', '--input', '{"amount":5}', '--wait');
  expect(submitted).toMatchObject({ code: 0, stdout: expect.stringContaining('{"amount":5}') });
  const shown = await jsonOf('show', 't1', 'invoice', 'k1');
  expect(shown).toMatchObject({
    status: { state: 'done', attempts: 1, result: { amount: 5 } },
    workflowId: 'job/t1/invoice/k1',
    steps: [{ step: 'post' }],
  });
  expect((await cli('list', '--tenant', 't1')).stdout).toContain('k1');
});

test('a wrong call is told by its code, with exit code 2; a refused one with 3', async () => {
  const wrong = await cli('submit', 't1', 'invioce', 'k', '--input', '{}');
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean 'invoice'?") });
  await cli('submit', 't1', 'invoice', 'k3', '--input', '{"amount":5}');
  const reused = await cli('submit', 't1', 'invoice', 'k3', '--input', '{"amount":6}', '--json');
  expect(reused).toMatchObject({ code: 3 });
  expect(`${reused.stdout}${reused.stderr}`).toContain('IDEMPOTENCY_KEY_REUSED');
  expect((await cli('show', 't1', 'invoice', 'none')).code).toBe(2);
});

test('many jobs come from a file, with an outcome for each', async () => {
  const file = join(stage.temporal.directory, 'many.jsonl');
  const line = (key: string, amount: unknown) =>
    JSON.stringify({ tenant: 't2', type: 'invoice', key, input: { amount } });
  await writeFile(file, [line('a', 1), line('b', 2), '', line('c', 'x')].join('\n'));
  const many = await cli('submit-many', file, '--json');
  expect(many.code).toBe(1);
  expect(JSON.parse(many.stdout)).toMatchObject({
    submitted: 2,
    known: 0,
    refused: 1,
    refusals: [{ key: 'c', error: { code: 'INVALID_INPUT' } }],
  });
});

test('a dead job is listed, asked about, redriven with another input, or discarded with a reason', async () => {
  for (const key of ['d1', 'd2'])
    expect((await cli('submit', 't3', 'invoice', key, '--input', '{"amount":-1}', '--wait')).code).toBe(1);
  expect((await cli('dead', '--tenant', 't3')).stdout).toContain('RangeError: a negative amount');
  expect(await cli('redrive', 't3', 'invoice', 'd1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('NOT_CONFIRMED'),
  });
  expect((await cli('redrive', 't3', 'invoice', 'd1', '--input', '{"amount":1}', '--yes')).code).toBe(0);
  await until(async () => (await stateOf('d1')) === 'done');
  const all = await jsonOf('redrive', '--all', '--tenant', 't3', '--per-second', '10', '--yes');
  expect(all).toMatchObject({ redriven: [{ key: 'd2' }] });
  await until(async () => (await stateOf('d2')) === 'dead');
  expect((await cli('discard', 't3', 'invoice', 'd2', '--reason', 'billed by hand', '--yes')).code).toBe(0);
  expect((await jsonOf('show', 't3', 'invoice', 'd2')).letters).toMatchObject([
    { state: 'redriven', decidedBy: 'ada' },
    { state: 'discarded', decision: 'billed by hand' },
  ]);
});

test('quarantine, limit, queues, holds, release and cancel', async () => {
  await cli('quarantine', '--tenant', 't4', '--reason', 'floods the bank');
  await cli('submit', 't4', 'invoice', 'q1', '--input', '{"amount":1}');
  await cli('submit', 't4', 'invoice', 'q2', '--input', '{"amount":1}');
  expect((await cli('list', '--tenant', 't4')).stdout).toContain('held: floods the bank');
  expect(await jsonOf('holds')).toMatchObject({ holds: [{ tenant: 't4', type: '', by: 'ada' }] });
  expect((await jsonOf('queues')).queues).toContainEqual(
    expect.objectContaining({ tenant: 't4', type: 'invoice', waiting: 2 }),
  );
  expect(await jsonOf('cancel', 't4', 'invoice', 'q2')).toMatchObject({ state: 'cancelled' });
  expect((await cli('limit', '--tenant', 't4', '--in-flight', '1')).code).toBe(0);
  expect((await cli('release', '--tenant', 't4')).code).toBe(0);
  await until(async () => (await stateOf('q1')) === 'done');
  expect((await cli('release', '--tenant', 't4')).code).toBe(1);
  // What a promoted cluster begins with.
  await stage.app.query(
    `insert into chronawflow.job_hold (tenant, reason, held_by) values ('', 'restored', 'x')`,
  );
  expect(await cli('release', '--everything')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('all types of every tenant'),
  });
  expect((await cli('quarantine', '--reason', 'all of it')).code).toBe(2);
});

test('undone effects are listed with the calls outside, decided about after a question, and redriven', async () => {
  expect(await cli('submit', 't5', 'pay', 'u1', '--wait')).toMatchObject({ code: 0, stderr: '' });
  // As a merge of restore r1 leaves it.
  await stage.app.query(
    `delete from effect where name = 'u1';
     insert into chronawflow.undone_effect (restore_id, tenant, kind, type, key, step, owner, completed_at)
     select 'r1', tenant, 'job', type, key, '', owner, finished_at from chronawflow.job where key = 'u1'
     union all select 'r1', tenant, 'step', 'pay', 'u1', key, owner, completed_at
     from chronawflow.idempotency where scope = 'job ["pay","u1"]' and key = 'post'`,
  );
  expect(await jsonOf('undone', 'list', '--restore', 'r1')).toMatchObject({
    undone: [{ key: 'u1', steps: ['post'], ended: true, outside: ['collect'], job: 'done' }],
  });
  const unasked = await cli('undone', 'redrive', 't5', 'pay', 'u1');
  expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining('NOT_CONFIRMED') });
  expect(unasked.stdout).toContain('collect');
  expect((await cli('undone', 'redrive', '--all', '--restore', 'r1', '--yes')).code).toBe(0);
  await until(async () => (await stateOf('u1')) === 'done');
  const { rows } = await stage.app.query(`select name from effect where name like 'u1%' order by name`);
  // The code ran again, the call outside had the same key.
  expect(rows.map(({ name }) => name)).toEqual(['u1', expect.stringMatching(/^u1 [0-9a-f]{32}$/)]);
  expect(await cli('undone', 'leave', 't5', 'pay', 'u1', '--yes')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('NOTHING_UNDONE'),
  });
});

test('pause, resume, and a release at a rate', async () => {
  expect(await jsonOf('pause', 't7', '--reason', 'it moves')).toMatchObject({ paused: true, fresh: true });
  for (const key of ['p1', 'p2']) await cli('submit', 't7', 'invoice', key, '--input', '{"amount":1}');
  expect((await cli('show', 't7', 'invoice', 'p1')).stdout).toContain('the tenant is paused: it moves');
  expect((await cli('holds')).stdout).toContain('pause');
  expect((await cli('resume', 't7', '--rate', 'fast')).code).toBe(2);
  expect(await jsonOf('resume', 't7', '--rate', '50/s')).toMatchObject({ resumed: true, perSecond: 50 });
  await until(async () => (await stateOf('p1')) === 'done' && (await stateOf('p2')) === 'done');
  await cli('quarantine', '--tenant', 't7', '--type', 'invoice', '--key', 'p3', '--reason', 'kills workers');
  await cli('submit', 't7', 'invoice', 'p3', '--input', '{"amount":1}');
  expect(await jsonOf('holds')).toMatchObject({
    holds: expect.arrayContaining([expect.objectContaining({ key: 'p3' })]),
  });
  expect((await cli('quarantine', '--key', 'p3', '--tenant', 't7', '--reason', 'x')).code).toBe(2);
  await cli('release', '--tenant', 't7', '--type', 'invoice', '--key', 'p3');
  await until(async () => (await stateOf('p3')) === 'done');
});

test('null can be an input', async () => {
  expect(await jsonOf('submit', 't6', 'pay', 'null', '--input', 'null', '--wait')).toMatchObject({
    state: 'done',
  });
});

test('a schedule is set, listed, paused and removed', async () => {
  const plan = ['--type', 'invoice', '--input', '{"amount":1}', '--cron', '0 3 1 * *'];
  expect(
    await jsonOf('schedule', 'set', 't6', 'monthly', ...plan, '--time-zone', 'Europe/Berlin'),
  ).toMatchObject({
    tenant: 't6',
    cron: '0 3 1 * *',
  });
  expect((await cli('schedule', 'set', 't6', 'x', '--type', 'invoice', '--every', 'often')).code).toBe(2);
  expect((await cli('schedule', 'pause', 't6', 'monthly', '--reason', 'not yet')).code).toBe(0);
  let listed = '';
  await until(
    async () => {
      listed = (await cli('schedule', 'list', '--tenant', 't6')).stdout;
      return listed.includes('monthly');
    },
    { what: 'the schedule to be listed' },
  );
  expect(listed).toContain('0 3 1 * * (Europe/Berlin)');
  expect(listed).toContain('paused: not yet');
  expect((await cli('schedule', 'resume', 't6', 'monthly')).code).toBe(0);
  expect((await cli('schedule', 'remove', 't6', 'monthly', '--yes')).code).toBe(0);
  await until(async () => (await jsonOf('schedule', 'list')).schedules.length === 0, {
    what: 'the schedule to be listed no more',
  });
});

test('a dead job with undone effects is passed over by redrive, one by one refused, until somebody has decided', async () => {
  // As a merge of restore r2 stops a job that was not over.
  await stage.app.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, run_at, state)
     values ('t6', 'invoice', 'u2', 'f', '{"amount":1}', 3, now(), 'dead');
     insert into chronawflow.dead_letter (tenant, type, key, reason, attempts, errors)
     values ('t6', 'invoice', 'u2', 'EFFECTS_UNDONE', 1, '[]');
     insert into chronawflow.undone_effect (restore_id, tenant, kind, type, key, step, owner, completed_at)
     values ('r2', 't6', 'step', 'invoice', 'u2', 'other', 'o', now())`,
  );
  expect((await cli('dead', '--tenant', 't6')).stdout).toContain('EFFECTS_UNDONE');
  expect(await jsonOf('redrive', '--all', '--tenant', 't6', '--yes')).toEqual({ redriven: [] });
  expect(await cli('redrive', 't6', 'invoice', 'u2', '--yes')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('jobs undone redrive'),
  });
  expect((await cli('undone', 'leave', 't6', 'invoice', 'u2', '--yes')).code).toBe(0);
  expect(await jsonOf('redrive', '--all', '--tenant', 't6', '--yes')).toMatchObject({
    redriven: [{ key: 'u2' }],
  });
  await until(async () => (await stateOf('u2')) === 'done');
});

test('every command explains itself with an example', () => {
  const jobs = createProgram().commands.find((command) => command.name() === 'jobs');
  expect(jobs?.commands.length).toBeGreaterThan(14);
  for (const command of jobs?.commands ?? []) {
    let help = '';
    command.configureOutput({
      writeOut: (part) => {
        help += part;
      },
    });
    command.outputHelp();
    expect(help).toContain(`$ chronawflow jobs ${command.name()}`);
  }
});
