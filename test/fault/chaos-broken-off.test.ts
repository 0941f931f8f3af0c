import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from '../support/kill';
import { until } from '../support/until';

/** Everything that a run starts inherits it, whatever becomes of who started it. */
const MARK = 'CHRONAWFLOW_TEST_MARK';
const root = join(__dirname, '..', '..');
const marks: string[] = [];

afterAll(() => {
  for (const mark of marks) for (const pid of marked(mark)) kill(pid);
});

function start(args: readonly string[]): {
  readonly child: ChildProcess;
  readonly mark: string;
  said(): string;
} {
  const mark = randomUUID();
  marks.push(mark);
  const child = spawn(process.execPath, ['-r', join(root, 'scripts', 'register.cjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: root,
    env: { ...process.env, [MARK]: mark },
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
  return { child, mark, said: () => output.join('') };
}

function marked(mark: string): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    try {
      const pid = Number(entry);
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}\0`) ? [pid] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

const nothingLeft = (mark: string) =>
  until(() => marked(mark).length === 0, { what: 'everything that it started to end', limitMs: 120_000 });

test('a test that is killed while faults are there leaves no process and no file', async () => {
  const { child, mark, said } = start([join(root, 'test', 'support', 'broken-off-stage.ts')]);
  const ready = /ready (\S+) (\S+)\n/;
  await until(() => ready.test(said()), { what: 'the fault', limitMs: 120_000 });
  const directories = ready.exec(said())?.slice(1) ?? [];
  expect(directories.map((directory) => existsSync(directory))).toEqual([true, true]);
  expect(marked(mark).length).toBeGreaterThan(5);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await nothingLeft(mark);
  expect(directories.map((directory) => existsSync(directory))).toEqual([false, false]);
}, 300_000);

test('the benchmark ends with everything that it started when it is told to', async () => {
  const { child, mark, said } = start([join(root, 'bench', 'chaos.ts'), '--quick']);
  const closed = once(child, 'close');
  // Experiments have begun, and in each lane one is under way.
  await until(() => /s {2}\S+\.\S+, /.test(said()) || child.exitCode !== null, {
    what: 'experiments',
    limitMs: 180_000,
  });
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
  await nothingLeft(mark);
  // Its last words may be read after its end.
  await closed;
  // The end of what it said tells more than the code alone.
  expect({ code: child.exitCode, said: said().slice(-3_000) }).toEqual({
    code: 143,
    said: expect.stringContaining('BENCHMARK_STOPPED: stopped by SIGTERM'),
  });
}, 420_000);
