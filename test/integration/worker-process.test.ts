import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { applyMigrations } from '../../database';
import { until } from '../support/until';
import { type Ground, Scene, startGround } from '../workflow/support/workflow-run';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'workers', 'main.js');
const CONTROL = join(ROOT, 'dist', 'workers', 'control.js');

let ground: Ground;
let configFile: string;
let child: ChildProcess | undefined;
let log = '';

beforeAll(async () => {
  await Promise.all([
    promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]),
    startGround().then((started) => {
      ground = started;
    }),
  ]);
  // One database stands for both here: the worker's process is what is tried, not a restore.
  const application = await ground.postgres.createDatabase('application');
  await applyMigrations(application, 'application');
  configFile = join(ground.temporal.directory, 'worker.yaml');
  const { rawConfig } = new Scene(ground);
  await writeFile(
    configFile,
    stringify({
      ...rawConfig,
      application: { ...Object(rawConfig.application), database: ground.postgres.connection('application') },
    }),
  );
}, 240_000);
afterAll(() => ground?.stop());
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
});

function startWorker(args: readonly string[], entry = MAIN) {
  log = '';
  const started = spawn(process.execPath, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, CHRONAWFLOW_CONFIG: configFile },
  });
  started.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  child = started;
  // Its last lines may come after its exit.
  return new Promise<number | null>((resolve) => started.once('close', resolve));
}

const lines = (): {
  readonly msg: string;
  readonly metricsPort?: number;
  readonly taskQueues?: readonly string[];
}[] =>
  log
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));

test('the worker says that it runs, serves metrics, and ends with 0 when it is told to', async () => {
  const ended = startWorker(['--metrics-port', '0']);
  await until(() => lines().some((line) => line.msg === 'running'), {
    limitMs: 60_000,
    what: 'the worker to run',
  });
  const port = lines().find((line) => line.msg === 'running')?.metricsPort;
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain('chronawflow_recovery_operations_total');
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  let ready: unknown;
  await until(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      ready = await answer.json();
      return answer.status === 200;
    },
    { limitMs: 60_000, what: 'the worker to be ready' },
  );
  expect(ready).toMatchObject({
    status: 'up',
    components: [{ name: 'platform-database' }, { name: 'temporal' }],
  });
  expect((await fetch(`http://127.0.0.1:${port}/else`)).status).toBe(404);
  child?.kill('SIGTERM');
  await expect(ended).resolves.toBe(0);
  expect(lines().at(-1)?.msg).toBe('stopped');
});

test("the controllers' process has a queue of its own, apart from the work it watches over", async () => {
  const ended = startWorker(['--metrics-port', '0'], CONTROL);
  await until(() => lines().some((line) => line.msg === 'running'), {
    limitMs: 60_000,
    what: 'the controllers to run',
  });
  const running = lines().find((line) => line.msg === 'running');
  expect(running?.taskQueues).toEqual([expect.stringMatching(/-control$/)]);
  await until(async () => (await fetch(`http://127.0.0.1:${running?.metricsPort}/readyz`)).status === 200, {
    limitMs: 60_000,
    what: 'the controllers to be ready',
  });
  child?.kill('SIGTERM');
  await expect(ended).resolves.toBe(0);
  expect(lines().at(-1)?.msg).toBe('stopped');
});

test('the worker waits for a Temporal that is not there yet', async () => {
  await ground.temporal.kill();
  const waiting = startWorker(['--metrics-port', '0']);
  await until(() => lines().some((line) => line.msg === 'cannot start yet'), { limitMs: 60_000 });
  await ground.temporal.start();
  await until(() => lines().some((line) => line.msg === 'running'), { limitMs: 120_000 });
  child?.kill('SIGINT');
  await expect(waiting).resolves.toBe(0);
}, 300_000);

test('a wrong port ends it with 1 and says why', async () => {
  const ended = startWorker(['--metrics-port', 'many']);
  await expect(ended).resolves.toBe(1);
  expect(lines().at(-1)?.msg).toContain("'many' is no port");
});

test('a port that is taken ends it with 1 when it was asked for', async () => {
  const taken = createServer().listen(0, '0.0.0.0');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  try {
    await expect(startWorker(['--metrics-port', port])).resolves.toBe(1);
    expect(lines().at(-1)?.msg).toContain('EADDRINUSE');
  } finally {
    taken.close();
  }
});
