import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { createProgram } from '../../client/cli/program';
import { restoreWorkflowId } from '../../core/recovery/workflow-id';
import type { OperationStatus } from '../../workflows/contract';
import { onTerminal } from '../support/terminal';
import { until } from '../support/until';
import { type Ground, Scene, startGround } from '../workflow/support/workflow-run';

const ROOT = join(__dirname, '..', '..');

interface Called {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let ground: Ground;
let scene: Scene;
let configFile: string;

beforeAll(async () => {
  // What is tried is what is shipped: the built program. A build without changes takes about a second.
  await Promise.all([
    promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]),
    startGround().then((started) => {
      ground = started;
    }),
  ]);
}, 240_000);
afterAll(() => ground?.stop());
beforeEach(async () => {
  scene = new Scene(ground);
  await scene.startWorker();
  configFile = join(ground.temporal.directory, `${scene.taskQueue}.yaml`);
  await writeFile(configFile, stringify(scene.rawConfig));
});
afterEach(() => scene.stopWorker());

/** The CLI as a process of its own, without a terminal. */
function cli(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'client', 'cli', 'main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CHRONAWFLOW_CONFIG: configFile, CHRONAWFLOW_OPERATOR: 'ada', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Called>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { ended, soFar: () => stdout + stderr };
}

const call = (...args: readonly string[]): Promise<Called> => cli(args).ended;

const restoreArgs = (...more: readonly string[]) => [
  'recovery',
  'restore',
  '--tenant',
  scene.tenant,
  '--to',
  '20m ago',
  '--yes',
  ...more,
];

/** Starts a restore and waits until people are asked. */
async function awaitingRestore(): Promise<{ readonly workflowId: string; readonly diffHash: string }> {
  const started = await call(...restoreArgs('--no-wait', '--json'));
  const { workflowId } = JSON.parse(started.stdout);
  const preview = await call('recovery', 'preview', workflowId, '--json');
  return { workflowId, diffHash: JSON.parse(preview.stdout).diffHash };
}

test('a restore shows phases, preview and the exact command, waits, and prints the report', async () => {
  const restore = cli(restoreArgs());
  await until(() => restore.soFar().includes('recovery approve'), {
    limitMs: 120_000,
    what: 'the command to approve',
  });
  const command = /chronawflow (recovery approve \S+ --hash \S+) --as/.exec(restore.soFar())?.[1] ?? '';
  const approved = await call(...command.split(' '), '--as', 'grace', '--yes');
  expect(approved).toMatchObject({ code: 0, stderr: '' });
  const { code, stdout, stderr } = await restore.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('merged and proved');
  expect(stdout).toMatch(/latest restorable {2,}2026-11-23T10:20:00\.000000Z, .*1\.5 s behind the database/);
  expect(stdout).toContain('b'.repeat(64));
  expect(stderr).toContain('wait for approval');
  // No terminal: no colours, no moving lines.
  expect(stdout + stderr).not.toContain('\u001b[');
});

test('with --json the result is one object, whatever happens on the way', async () => {
  const restore = cli(restoreArgs('--json'));
  let workflowId = '';
  await until(
    async () => {
      const { stdout } = await call('recovery', 'status', '--json');
      const mine = JSON.parse(stdout).restores.find(
        (entry: { tenant: string }) => entry.tenant === scene.tenant,
      );
      workflowId = mine?.workflowId ?? '';
      return workflowId !== '';
    },
    { what: 'the restore to be listed' },
  );
  const preview = await call('recovery', 'preview', workflowId, '--json');
  await call(
    'recovery',
    'approve',
    workflowId,
    '--hash',
    JSON.parse(preview.stdout).diffHash,
    '--as',
    'grace',
    '--yes',
  );
  const { code, stdout, stderr } = await restore.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'merged', approvedBy: ['grace'] });
});

/** The CLI on a terminal. */
const typed = (args: readonly string[], columns?: number) =>
  onTerminal([process.execPath, join(ROOT, 'dist', 'client', 'cli', 'main.js'), ...args], {
    columns,
    env: { CHRONAWFLOW_CONFIG: configFile, CHRONAWFLOW_OPERATOR: 'ada', NO_COLOR: '1' },
  });

test('Ctrl-C ends the watching only: the run goes on, and the command says how to come back to it', async () => {
  const restore = typed(restoreArgs(), 100);
  await until(() => /Needs one approval[\s\S]*wait for approval/.test(restore.soFar()), {
    limitMs: 60_000,
    what: 'the spinner behind the preview',
  });
  restore.type('\u0003');
  const { code, output } = await restore.ended;
  expect(code).toBe(1);
  expect(output).toContain('INTERRUPTED');
  const workflowId = /recovery status (\S+)/.exec(output)?.[1] ?? '';
  const handle = ground.client.workflow.getHandle(workflowId);
  expect((await handle.query<OperationStatus>('status')).approval.kind).toBe('open');
  await handle.cancel();
  await until(() => scene.leftovers().length === 0, { what: 'the clean-up' });
});

test.each(['\u0003', '\u0004', 'n\n'])('%j answers no question: nothing is started', async (answer) => {
  const asked = typed(['recovery', 'restore', '--tenant', scene.tenant, '--to', '20m ago'], 100);
  await until(() => asked.soFar().includes('[y/N]'), { limitMs: 60_000, what: 'the question' });
  asked.type(answer);
  const { code, output } = await asked.ended;
  expect({ code, code2: /NOT_CONFIRMED/.test(output) }).toEqual({ code: 2, code2: true });
  expect(scene.engine.calls).toEqual([]);
});

test('a terminal without a width gets plain lines', async () => {
  const restore = typed(restoreArgs('--approvals', '1'));
  await until(() => restore.soFar().includes('recovery reject'), { limitMs: 60_000, what: 'the preview' });
  const workflowId = /recovery reject (\S+)/.exec(restore.soFar())?.[1] ?? '';
  await call('recovery', 'reject', workflowId, '--as', 'grace', '--reason', 'wrong tenant');
  const { code, output } = await restore.ended;
  expect(code).toBe(3);
  expect(output).toContain('… wait for approval');
  expect(output).not.toContain('\u001b[');
});

test('a rejected restore exits 3', async () => {
  const restore = cli(restoreArgs());
  await until(() => restore.soFar().includes('recovery reject'), { what: 'the command to reject' });
  const workflowId = /recovery reject (\S+)/.exec(restore.soFar())?.[1] ?? '';
  await call('recovery', 'reject', workflowId, '--as', 'grace', '--reason', 'wrong tenant');
  await expect(restore.ended).resolves.toMatchObject({
    code: 3,
    stdout: expect.stringContaining('rejected'),
  });
});

test('refusals exit 3 with code, message and hint on standard error', async () => {
  const { workflowId, diffHash } = await awaitingRestore();
  const own = await call('recovery', 'approve', workflowId, '--hash', diffHash, '--yes');
  expect(own).toMatchObject({ code: 3, stdout: '' });
  expect(own.stderr).toMatch(/^APPROVAL_BY_REQUESTER .*\n→ .*/);
  const wrong = await call(
    'recovery',
    'approve',
    workflowId,
    '--hash',
    'beef',
    '--as',
    'grace',
    '--yes',
    '--json',
  );
  expect(wrong).toMatchObject({ code: 3, stderr: '' });
  expect(JSON.parse(wrong.stdout).error).toMatchObject({ code: 'HASH_MISMATCH', hint: expect.any(String) });
  const second = await call(...restoreArgs());
  expect(second.code).toBe(3);
  expect(second.stderr).toContain('RESTORE_IN_PROGRESS');
  expect(second.stderr).toContain(workflowId);
  const cancelled = await call(
    ...['recovery', 'cancel', workflowId, '--yes', '--as', 'grace', '--reason', 'the wrong tenant'],
  );
  expect(cancelled.code).toBe(0);
  const { rows } = await ground.platform.query(
    `select actor, tenant, details from chronawflow.audit_event where action = 'restore.cancel-request' and request = $1`,
    [workflowId],
  );
  expect(rows).toEqual([{ actor: 'grace', tenant: scene.tenant, details: { reason: 'the wrong tenant' } }]);
  await until(() => scene.leftovers().length === 0, { what: 'the clean-up' });
});

test('a run that was terminated is cleaned up after by cancel', async () => {
  const { workflowId } = await awaitingRestore();
  await ground.client.workflow.getHandle(workflowId).terminate();
  expect(scene.engine.frozen.size).toBe(1);
  const cancelled = await call('recovery', 'cancel', workflowId, '--yes', '--json');
  expect(cancelled).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ result: 'released' });
  expect(scene.engine.frozen.size).toBe(0);
  const again = await call('recovery', 'cancel', workflowId, '--yes');
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('RUN_ENDED') });
});

test.each([
  ['a missing option', ['recovery', 'restore', '--tenant', 'acme'], 'INVALID_INPUT required option'],
  ['an unknown command', ['recovery', 'restor'], 'Did you mean restore?'],
  ['a command without its command', ['recovery'], 'Usage: chronawflow recovery'],
  [
    'a target without zone, which is not even asked about',
    ['recovery', 'restore', '--tenant', 'a', '--to', '2026-11-23 10:15'],
    'INVALID_INPUT',
  ],
  [
    'a cron expression that is none',
    ['recovery', 'schedule', 'set', 'nightly', '--kind', 'full', '--cron', 'nightly'],
    'INVALID_INPUT',
  ],
  ['a port that is none', ['worker', '--metrics-port', 'many'], 'INVALID_INPUT'],
  ['a worker without configuration', ['worker', '--config', '/no/where.yaml'], 'CONFIG_INVALID'],
  [
    'a target that is none',
    ['recovery', 'restore', '--tenant', 'a', '--to', 'later', '--yes'],
    'INVALID_INPUT',
  ],
  ['nobody to confirm', ['recovery', 'restore', '--tenant', 'a', '--to', '1m ago'], 'NOT_CONFIRMED'],
  ['a run that is not there', ['recovery', 'status', 'restore/no/where'], 'RUN_NOT_FOUND'],
  ['a restore that is not there', ['recovery', 'report', 'r000000000000'], 'RUN_NOT_FOUND'],
  [
    'a configuration that is not there',
    ['recovery', 'status', '--config', '/no/where.yaml'],
    'CONFIG_INVALID',
  ],
])('a wrong call exits 2: %s', async (_, args, text) => {
  const { code, stdout, stderr } = await call(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(text);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('the run’s page in Temporal’s Web UI is shown where the configuration knows it, whatever the tenant is called', async () => {
  await writeFile(
    configFile,
    stringify({
      ...scene.rawConfig,
      temporal: { ...Object(scene.rawConfig.temporal), webUrl: 'https://temporal.example/ui/' },
    }),
  );
  const tenant = "o'neill & sons/2";
  const started = await call(
    ...[
      'recovery',
      'restore',
      '--tenant',
      tenant,
      '--to',
      '20m ago',
      '--yes',
      '--no-wait',
      '--request',
      'r1',
    ],
  );
  const id = restoreWorkflowId(tenant, 'r1');
  expect(started.stdout).toContain(
    `Web UI   https://temporal.example/ui/namespaces/default/workflows/${encodeURIComponent(id)}`,
  );
  // The command that is printed works as it stands.
  const command = /chronawflow (recovery status .*)/.exec(started.stdout)?.[1] ?? '';
  const { stdout } = await promisify(execFile)(
    'sh',
    ['-c', `exec "$0" "$1" ${command} --json`, process.execPath, join(ROOT, 'dist/client/cli/main.js')],
    { env: { ...process.env, CHRONAWFLOW_CONFIG: configFile } },
  );
  expect(JSON.parse(stdout)).toMatchObject({ workflowId: id, tenant });
  await call('recovery', 'cancel', id, '--yes');
  await until(() => scene.leftovers().length === 0, { what: 'the clean-up' });
});

test('with --json a wrong call is one object as well', async () => {
  const { code, stdout, stderr } = await call('recovery', 'restore', '--tenant', 'acme', '--json');
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('--to'),
    hint: expect.stringContaining('--help'),
  });
});

test('an empty CHRONAWFLOW_CONFIG is none', async () => {
  const { code, stderr } = await cli(['recovery', 'status'], { CHRONAWFLOW_CONFIG: '' }).ended;
  expect(code).toBe(2);
  expect(stderr).toContain('/chronawflow.yaml: the file cannot be read');
});

test('an operation that failed exits 1, and shows a stack only with --debug', async () => {
  await writeFile(configFile, stringify({ ...scene.rawConfig, temporal: { address: '127.0.0.1:1' } }));
  const plain = await call('recovery', 'status', 'restore/a/b');
  expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('TEMPORAL_UNAVAILABLE') });
  expect(plain.stderr).not.toMatch(/^\s+at /m);
  const debug = await call('recovery', 'status', 'restore/a/b', '--debug');
  expect(debug.stderr).toMatch(/^\s+at /m);
});

test('every command has a description and shows an example in its help', () => {
  const leaves: string[] = [];
  const visit = (command: ReturnType<typeof createProgram>, path: string): void => {
    if (command.commands.length > 0) {
      for (const child of command.commands) visit(child, `${path} ${child.name()}`);
      return;
    }
    leaves.push(path);
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect({ path, described: command.description() !== '' }).toEqual({ path, described: true });
    expect({ path, example: /\nExamples?:\n.*chronawflow /s.test(help) }).toEqual({ path, example: true });
    const json = command.options.some((option) => option.long === '--json');
    expect({ path, json }).toEqual({ path, json: true });
  };
  visit(createProgram(), 'chronawflow');
  expect(leaves.length).toBeGreaterThan(15);
});
