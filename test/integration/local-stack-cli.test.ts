import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { examine } from '../../client/cli/doctor';
import { registerUp, up } from '../../client/cli/up';
import { detachedStatus } from '../../core/cluster';
import { packageRoot, stackLayout } from '../../core/local-stack';
import { ensureBuilt } from '../support/restore-stage-worker';
import { onTerminal } from '../support/terminal';
import { until } from '../support/until';

// Each test starts and stops a whole stack, on a machine that may be slow.
jest.setTimeout(300_000);
const START_LIMIT_MS = 120_000;

const printed = z.object({ configFile: z.string(), webUrl: z.string(), secrets: z.string() });

describe('chronawflow up and down', () => {
  let directory: string;
  let output: string[];
  let progress: string[];
  let spies: jest.SpyInstance[];

  const run = async (...args: string[]) => {
    const program = new Command();
    registerUp(program);
    await program.parseAsync(args, { from: 'user' });
  };
  const temporal = () => detachedStatus(stackLayout(directory, '', undefined).temporal.recordFile);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cf-up-'));
  });
  beforeEach(() => {
    output = [];
    progress = [];
    const into = (lines: string[]) => (text: string | Uint8Array) => {
      lines.push(String(text));
      return true;
    };
    spies = [
      jest.spyOn(process.stdout, 'write').mockImplementation(into(output)),
      jest.spyOn(process.stderr, 'write').mockImplementation(into(progress)),
    ];
  });
  afterEach(() => {
    for (const spy of spies) spy.mockRestore();
  });
  afterAll(async () => {
    if (existsSync(join(directory, 'stack.json')))
      await run('down', '--directory', directory, '--delete', '--yes');
    await rm(directory, { recursive: true, force: true });
  });

  it('leaves a detached stack running that doctor is content with, apart from what is not installed yet or not asked for', async () => {
    await run('up', '--directory', directory, '--detach', '--no-worker');
    expect(output.join('')).toContain(`To stop it    chronawflow down --directory ${directory}`);
    output.length = 0;
    progress.length = 0;
    await run('up', '--directory', directory, '--detach', '--no-worker', '--json');
    const { configFile } = printed.parse(JSON.parse(output.join('')));
    expect(progress).toEqual([]);
    const findings = await examine(configFile, () => undefined);
    expect(findings.filter(({ state }) => state !== 'ok').map(({ name, state }) => [name, state])).toEqual([
      ['worker', 'warning'],
      ['payload encryption', 'warning'],
      ['operators', 'warning'],
      ['tenant table', 'warning'],
    ]);
  });

  it('is watched by a second one, which starts again what dies and stops everything at the end', async () => {
    const interrupted = new AbortController();
    const watching = up({ directory, worker: false }, interrupted.signal);
    await until(() => output.length > 0, { limitMs: START_LIMIT_MS });
    const before = await temporal();
    if (before.kind !== 'running') throw new Error('Temporal does not run');
    process.kill(before.pid, 'SIGKILL');
    await until(() => progress.some((line) => /✗ temporal/.test(line)));
    await until(async () => (await temporal()).kind === 'running');

    await expect(up({ directory, worker: false }, interrupted.signal)).rejects.toMatchObject({
      code: 'STACK_BUSY',
    });
    expect(progress.join('')).toMatch(/✓ backup-repository/);
    interrupted.abort(new Error('Ctrl-C'));
    await watching;
    expect(await temporal()).toEqual({ kind: 'stopped' });
    expect(output.join('')).toMatch(/Web UI {8}http:\/\/127\.0\.0\.1:\d+/);
  });

  it('stops what it started when it is interrupted on the way', async () => {
    const interrupted = new AbortController();
    const starting = up({ directory, worker: false }, interrupted.signal);
    await until(() => progress.some((line) => /starting the server/.test(line)));
    interrupted.abort(new Error('Ctrl-C'));
    await expect(starting).rejects.toThrow('Ctrl-C');
    expect(await temporal()).toEqual({ kind: 'stopped' });
  });

  it('stops cleanly at Ctrl-C on a terminal, where its moving lines listen for it as well', async () => {
    await ensureBuilt();
    const program = join(packageRoot(), 'dist/client/cli/main.js');
    const start = () =>
      onTerminal([process.execPath, program, 'up', '--no-worker', '--directory', directory], {
        columns: 100,
      });
    const onTheWay = start();
    await until(() => onTheWay.soFar().includes('temporal:'), { limitMs: START_LIMIT_MS });
    onTheWay.type('\u0003');
    // A fast machine may have had it running by then, and then it is stopped as well.
    expect((await onTheWay.ended).output).toMatch(/INTERRUPTED|stopped/);
    expect(await temporal()).toEqual({ kind: 'stopped' });

    const watching = start();
    await until(() => /To stop it {4}Ctrl-C/.test(watching.soFar()), { limitMs: START_LIMIT_MS });
    watching.type('\u0003');
    const { code, output: shown } = await watching.ended;
    expect(code).toBe(0);
    expect(shown).toMatch(/temporal {13}stopped/);
    expect(await temporal()).toEqual({ kind: 'stopped' });
  });

  it('removes nothing that was not confirmed', async () => {
    await expect(run('down', '--directory', directory, '--delete')).rejects.toMatchObject({
      code: 'NOT_CONFIRMED',
    });
    expect(existsSync(join(directory, 'secrets'))).toBe(true);
    await run('down', '--directory', directory, '--delete', '--yes', '--json');
    expect(JSON.parse(output.join(''))).toEqual({ stopped: true, removed: true });
    expect(existsSync(join(directory, 'secrets'))).toBe(false);
  });
});
