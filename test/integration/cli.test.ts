import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { restoreWorkflowId } from '../../core/recovery/workflow-id';
import type { OperationStatus } from '../../workflows/contract';
import { CLI_MAIN, useRecoveryCli } from '../support/recovery-cli';
import { until } from '../support/until';

// Several programs start in most tests, and each may take seconds.
jest.setTimeout(300_000);

const at = useRecoveryCli();
const { cli, call, typed, restoreArgs, awaitingRestore } = at;

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
        (entry: { tenant: string }) => entry.tenant === at.scene.tenant,
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
  const handle = at.ground.client.workflow.getHandle(workflowId);
  expect((await handle.query<OperationStatus>('status')).approval.kind).toBe('open');
  await handle.cancel();
  await until(() => at.scene.leftovers().length === 0, { what: 'the clean-up' });
});

test.each(['\u0003', '\u0004', 'n\n'])('%j answers no question: nothing is started', async (answer) => {
  const asked = typed(['recovery', 'restore', '--tenant', at.scene.tenant, '--to', '20m ago'], 100);
  await until(() => asked.soFar().includes('[y/N]'), { limitMs: 60_000, what: 'the question' });
  asked.type(answer);
  const { code, output } = await asked.ended;
  expect({ code, code2: /NOT_CONFIRMED/.test(output) }).toEqual({ code: 2, code2: true });
  expect(at.scene.engine.calls).toEqual([]);
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
  const { rows } = await at.ground.platform.query(
    `select actor, tenant, details from chronawflow.audit_event where action = 'restore.cancel-request' and request = $1`,
    [workflowId],
  );
  expect(rows).toEqual([
    { actor: 'grace', tenant: at.scene.tenant, details: { reason: 'the wrong tenant' } },
  ]);
  await until(() => at.scene.leftovers().length === 0, { what: 'the clean-up' });
});

test('a run that was terminated is cleaned up after by cancel', async () => {
  const { workflowId } = await awaitingRestore();
  await at.ground.client.workflow.getHandle(workflowId).terminate();
  expect(at.scene.engine.frozen.size).toBe(1);
  const cancelled = await call('recovery', 'cancel', workflowId, '--yes', '--json');
  expect(cancelled).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ result: 'released' });
  expect(at.scene.engine.frozen.size).toBe(0);
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
    at.configFile,
    stringify({
      ...at.scene.rawConfig,
      temporal: { ...Object(at.scene.rawConfig.temporal), webUrl: 'https://temporal.example/ui/' },
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
    ['-c', `exec "$0" "$1" ${command} --json`, process.execPath, CLI_MAIN],
    { env: { ...process.env, CHRONAWFLOW_CONFIG: at.configFile } },
  );
  expect(JSON.parse(stdout)).toMatchObject({ workflowId: id, tenant });
  await call('recovery', 'cancel', id, '--yes');
  await until(() => at.scene.leftovers().length === 0, { what: 'the clean-up' });
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
  await writeFile(at.configFile, stringify({ ...at.scene.rawConfig, temporal: { address: '127.0.0.1:1' } }));
  const plain = await call('recovery', 'status', 'restore/a/b');
  expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('TEMPORAL_UNAVAILABLE') });
  expect(plain.stderr).not.toMatch(/^\s+at /m);
  const debug = await call('recovery', 'status', 'restore/a/b', '--debug');
  expect(debug.stderr).toMatch(/^\s+at /m);
});
