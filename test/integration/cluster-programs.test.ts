import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  detachedStatus,
  freePorts,
  isPortFree,
  processIdentity,
  runProgram,
  runsAsRoot,
  serverUser,
  startDetached,
  stopDetached,
} from '../../core/cluster';
import { until } from '../support/until';

describe('a program', () => {
  it('gets its arguments as they are and gives back what it printed', async () => {
    const { stdout } = await runProgram('printf', ['%s|', '$HOME; `x`', '"a b"', '']);
    expect(stdout).toBe('$HOME; `x`|"a b"||');
  });

  it('is heard line by line while it runs', async () => {
    const lines: string[] = [];
    await runProgram('sh', ['-c', 'echo one; echo two >&2; printf three'], {
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
    });
    expect(lines.sort()).toEqual(['stderr two', 'stdout one', 'stdout three']);
  });

  it('fails with its exit code and its last words', async () => {
    await expect(runProgram('sh', ['-c', 'echo because >&2; exit 75'])).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      exit: 75,
      stderr: 'because\n',
    });
    await expect(runProgram('/no/such/program', [])).rejects.toMatchObject({ exit: 'not started' });
  });

  it('takes its children with it when it is aborted or too slow', async () => {
    const abort = new AbortController();
    let child = 0;
    const running = runProgram('sh', ['-c', 'sleep 300 & echo $!; wait'], {
      signal: abort.signal,
      onLine: (line) => {
        child = Number(line);
        abort.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect(child).toBeGreaterThan(0);
    await until(async () => (await processIdentity(child)) === undefined);
    await expect(runProgram('sleep', ['300'], { timeoutMs: 50 })).rejects.toThrow(/no end within 50 ms/);
    await expect(runProgram('true', [], { signal: abort.signal })).rejects.toThrow('enough');
  });

  it('runs as the server user when this process is root, with its groups', async () => {
    const { stdout } = await runProgram('id', ['-u'], { asServerUser: true });
    expect(Number(stdout)).toBe((await serverUser()).uid);
    if (!runsAsRoot()) return;
    const own = await runProgram('id', ['-G'], { asServerUser: true });
    const all = await runProgram('id', ['-G', (await serverUser()).name]);
    expect(own.stdout.split(/\s+/).sort()).toEqual(all.stdout.split(/\s+/).sort());
  });
});

describe('a process that outlives its parent', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cf-process-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const options = (script: string) => ({
    file: 'sh',
    args: ['-c', script],
    recordFile: join(directory, 'process.json'),
    logFile: join(directory, 'log'),
  });

  it('is started once, found again, and stopped', async () => {
    const first = await startDetached(options('echo up; exec sleep 300'));
    expect(first.kind).toBe('running');
    expect(await startDetached(options('exec sleep 300'))).toEqual(first);
    await until(async () => (await readFile(join(directory, 'log'), 'utf8')) === 'up\n');
    await stopDetached(options('').recordFile);
    expect(await detachedStatus(options('').recordFile)).toEqual({ kind: 'stopped' });
    expect(existsSync(options('').recordFile)).toBe(false);
    await stopDetached(options('').recordFile);
  });

  it('is killed when it does not listen', async () => {
    await startDetached(options('trap "" TERM; while :; do sleep 1; done'));
    await stopDetached(options('').recordFile, 100);
    expect(await detachedStatus(options('').recordFile)).toEqual({ kind: 'stopped' });
  });

  it('tells why it could not be started', async () => {
    await expect(startDetached({ ...options(''), file: '/no/such/program' })).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      exit: 'not started',
    });
  });
});

it('free ports are free, different, and not where outgoing connections come from', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) {
    expect(port).toBeLessThan(32_768);
    expect(await isPortFree(port)).toBe(true);
  }
});
