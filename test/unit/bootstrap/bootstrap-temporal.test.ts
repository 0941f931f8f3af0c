import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Ended,
  isolatedPath,
  partsOfThisRun,
  type Running,
  resultInNode,
  startBootstrap,
  startInNode,
  writeScript,
} from './in-node';

const VERSION = 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"';
const PREPARE = `
  import { prepareTemporal } from 'bootstrap/temporal.mjs';
  const { value, summary } = await prepareTemporal({ env: process.env, note: console.error });
  console.log(JSON.stringify({ path: value.CHRONAWFLOW_TEMPORAL_CLI, summary }));
`;

let directory: string;
let bin: string;
let cached: string;
let env: NodeJS.ProcessEnv;
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chronawflow-bootstrap-'));
  bin = isolatedPath(join(directory, 'bin'), ['sh', 'tar', 'gzip', 'sleep', 'cat', 'chmod']);
  cached = join(directory, 'cache', 'chronawflow', 'temporal-1.5.1', 'temporal');
  // Port 9 (discard) answers nobody: the network is closed unless a test opens its own server.
  env = {
    PATH: bin,
    XDG_CACHE_HOME: join(directory, 'cache'),
    CHRONAWFLOW_TEMPORAL_DOWNLOAD: 'http://127.0.0.1:9/',
  };
});

afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** A `go` that builds what the script says and counts how often it was asked. */
function fakeGo(body: string): void {
  writeScript(join(bin, 'go'), `echo "$@" >> ${join(directory, 'builds')}\n${body}`);
}

const builds = (): string[] =>
  existsSync(join(directory, 'builds'))
    ? readFileSync(join(directory, 'builds'), 'utf8').trim().split('\n')
    : [];

const GOOD_BUILD = `printf '#!/bin/sh\\n%s\\n' '${VERSION}' > "$GOBIN/temporal"; chmod +x "$GOBIN/temporal"`;

async function serve(listener: RequestListener): Promise<string> {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/temporal.tar.gz`;
}

function start(): Running {
  return startInNode(PREPARE, env);
}

const prepare = (): Promise<Ended> => start().ended;

/** What is left beside the cached program: nothing, whatever happened. */
const leftovers = (): string[] =>
  readdirSync(join(directory, 'cache', 'chronawflow')).filter((name) => name !== 'temporal-1.5.1');

/** A whole bootstrap may have to start first, on a machine that is busy with others. */
const LIMIT_MS = 120_000;

async function until(condition: () => boolean): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`waited ${LIMIT_MS / 1_000} s in vain`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a program that is named is used, and one that is no Temporal CLI is refused with what to do', async () => {
  writeScript(join(directory, 'mine'), VERSION);
  env.CHRONAWFLOW_TEMPORAL_CLI = join(directory, 'mine');
  expect(JSON.parse((await prepare()).stdout)).toEqual({
    path: join(directory, 'mine'),
    summary: 'Temporal CLI 1.5.1, server 1.29.1, from CHRONAWFLOW_TEMPORAL_CLI',
  });

  writeScript(join(directory, 'mine'), 'echo "some other temporal"');
  const refused = await prepare();
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('CHRONAWFLOW_TEMPORAL_CLI is of no use');
});

test('a program on PATH is used unless its server is too old', async () => {
  writeScript(join(bin, 'temporal'), VERSION);
  expect(JSON.parse((await prepare()).stdout).path).toBe(join(bin, 'temporal'));

  writeScript(join(bin, 'temporal'), 'echo "temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)"');
  fakeGo(GOOD_BUILD);
  const { stdout, stderr } = await prepare();
  expect(stderr).toContain('holds server 1.24.2');
  expect(JSON.parse(stdout).path).toBe(cached);
});

test('a build fills the cache once', async () => {
  fakeGo(GOOD_BUILD);
  expect(JSON.parse((await prepare()).stdout)).toEqual({
    path: cached,
    summary: 'Temporal CLI 1.5.1, server 1.29.1, built with Go',
  });
  expect(JSON.parse((await prepare()).stdout).summary).toContain('in the cache');
  expect(builds()).toEqual(['install github.com/temporalio/cli/cmd/temporal@v1.5.1']);
  expect(leftovers()).toEqual([]);
});

test('a build that fails, or whose program does not work, leaves nothing that counts as present', async () => {
  fakeGo('echo "no space left on device"; exit 1');
  const failed = await prepare();
  expect(failed.code).not.toBe(0);
  expect(failed.stderr).toContain('no space left on device');

  fakeGo('printf "#!/bin/sh\\nexit 1\\n" > "$GOBIN/temporal"; chmod +x "$GOBIN/temporal"');
  expect((await prepare()).code).not.toBe(0);
  expect(existsSync(cached)).toBe(false);
  expect(leftovers()).toEqual([]);
});

test('a truncated program in the cache is made anew', async () => {
  mkdirSync(join(cached, '..'), { recursive: true });
  writeFileSync(cached, '\u007fELF', { mode: 0o755 });
  fakeGo(GOOD_BUILD);
  expect(JSON.parse((await prepare()).stdout).summary).toContain('built with Go');
});

test('a download that breaks off or is not the official archive is not used', async () => {
  fakeGo(GOOD_BUILD);
  env.CHRONAWFLOW_TEMPORAL_DOWNLOAD = await serve((request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half', () => request.socket.destroy());
  });
  expect((await prepare()).stderr).toMatch(/no download: .*(closed|terminated|socket)/);

  rmSync(cached);
  server?.removeAllListeners('request').on('request', (_request, response) => response.end('something else'));
  expect((await prepare()).stderr).toContain("the file's SHA-256 is");
  expect(builds()).toHaveLength(2);
});

test('an archive with the expected checksum is unpacked', async () => {
  writeScript(join(directory, 'archive', 'temporal'), VERSION);
  execFileSync('tar', ['-czf', join(directory, 'a.tar.gz'), '-C', join(directory, 'archive'), 'temporal']);
  const archive = readFileSync(join(directory, 'a.tar.gz'));
  const url = await serve((_request, response) => response.end(archive));
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const program = await resultInNode(`
    import { fetchTemporal } from 'bootstrap/temporal.mjs';
    const wanted = { urls: ['http://127.0.0.1:9/', '${url}'], sha256: '${sha256}' };
    console.log(JSON.stringify(await fetchTemporal(wanted, '${directory}', { note() {} })));
  `);
  expect(program).toBe(join(directory, 'temporal'));
  expect(readFileSync(join(directory, 'temporal'), 'utf8')).toContain(VERSION);
});

test('two bootstraps at once build once', async () => {
  fakeGo(`while [ ! -e ${join(directory, 'go-on')} ]; do sleep 0.05; done\n${GOOD_BUILD}`);
  const [first, second] = [start(), start()];
  let waiting = false;
  for (const { child } of [first, second]) {
    child.stderr?.on('data', (text: string) => {
      waiting ||= text.includes('waiting for process');
    });
  }
  await until(() => waiting && builds().length > 0);
  writeFileSync(join(directory, 'go-on'), '');
  const ended = await Promise.all([first.ended, second.ended]);
  expect(ended.map(({ stdout }) => JSON.parse(stdout).path)).toEqual([cached, cached]);
  expect(builds()).toHaveLength(1);
});

test('a bootstrap that was killed in the middle of a build neither blocks the next one nor leaves its half', async () => {
  fakeGo(`echo half > "$GOBIN/temporal"; while [ ! -e ${join(directory, 'go-on')} ]; do sleep 0.05; done`);
  const killed = start();
  await until(() => builds().length > 0);
  killed.child.kill('SIGKILL');
  writeFileSync(join(directory, 'go-on'), '');
  await killed.ended;
  expect(leftovers()).not.toEqual([]);

  fakeGo(GOOD_BUILD);
  expect(JSON.parse((await prepare()).stdout).path).toBe(cached);
  expect(leftovers()).toEqual([]);
});

test('a bootstrap that is asked to stop ends its build and sweeps up', async () => {
  fakeGo(`echo half > "$GOBIN/temporal"; while [ ! -e ${join(directory, 'go-on')} ]; do sleep 0.05; done`);
  // The other parts are found where this run of the tests found them; only Temporal is to be made.
  const { CHRONAWFLOW_TEMPORAL_CLI, ...others } = partsOfThisRun();
  const { child, ended } = startBootstrap(['--print'], { ...env, ...others });
  await until(() => builds().length > 0);
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  expect(code).toBe(1);
  expect(stderr).toContain('Interrupted.');
  expect(leftovers()).toEqual([]);
});
