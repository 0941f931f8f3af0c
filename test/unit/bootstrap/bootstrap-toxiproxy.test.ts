import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, isolatedPath, startInNode, writeScript } from './in-node';

const PREPARE = `
  import { prepareToxiproxy } from 'bootstrap/toxiproxy.mjs';
  const { value, summary } = await prepareToxiproxy({ env: process.env, note: console.error });
  console.log(JSON.stringify({ path: value.CHRONAWFLOW_TOXIPROXY, summary }));
`;
const FROM_SOURCE = `printf '#!/bin/sh\\necho toxiproxy-server version git\\n' > "$GOBIN/server"; chmod +x "$GOBIN/server"`;

let directory: string;
let bin: string;
let cached: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chronawflow-bootstrap-'));
  bin = isolatedPath(join(directory, 'bin'), ['sh', 'chmod']);
  cached = join(directory, 'cache', 'chronawflow', 'toxiproxy-2.12.0', 'toxiproxy-server');
  // Port 9 (discard) answers nobody.
  env = {
    PATH: bin,
    XDG_CACHE_HOME: join(directory, 'cache'),
    CHRONAWFLOW_TOXIPROXY_DOWNLOAD: 'http://127.0.0.1:9/',
  };
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const prepare = (): Promise<Ended> => startInNode(PREPARE, env).ended;

test('toxiproxy: a build is kept under a name of its own, and made once', async () => {
  writeScript(join(bin, 'go'), `echo "$@" >> ${directory}/builds\n${FROM_SOURCE}`);
  expect(JSON.parse((await prepare()).stdout)).toEqual({
    path: cached,
    summary: 'Toxiproxy from source, built with Go',
  });
  expect(JSON.parse((await prepare()).stdout).summary).toBe('Toxiproxy from source, in the cache');
  expect(readFileSync(join(directory, 'builds'), 'utf8')).toBe(
    'install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0\n',
  );
});

test('toxiproxy: a build that fails, or whose program does not work, leaves nothing that counts as present', async () => {
  for (const body of ['echo half > "$GOBIN/server"; exit 1', FROM_SOURCE.replace('toxiproxy', 'other')]) {
    writeScript(join(bin, 'go'), body);
    expect((await prepare()).code).not.toBe(0);
    expect(existsSync(cached)).toBe(false);
    expect(readdirSync(join(directory, 'cache', 'chronawflow'))).toEqual([]);
  }
});

test('toxiproxy: a program on PATH is used when it is of version 2', async () => {
  writeScript(join(bin, 'toxiproxy-server'), 'echo "toxiproxy-server version 2.5.0"');
  expect(JSON.parse((await prepare()).stdout)).toEqual({
    path: join(bin, 'toxiproxy-server'),
    summary: 'Toxiproxy 2.5.0, on PATH',
  });
  writeScript(join(bin, 'toxiproxy-server'), 'echo "toxiproxy-server version 1.2.1"');
  writeScript(join(bin, 'go'), FROM_SOURCE);
  const { stdout, stderr } = await prepare();
  expect(stderr).toContain('is not the server of Toxiproxy 2');
  expect(JSON.parse(stdout).path).toBe(cached);
});

test('toxiproxy: without network, Go or a program, one message says what helps', async () => {
  // The directory that Go's own installer uses is looked at as well, so this needs a machine without it.
  if (existsSync('/usr/local/go/bin/go')) writeScript(join(bin, 'go'), 'exit 1');
  const { code, stderr } = await prepare();
  expect(code).not.toBe(0);
  for (const help of ['brew install toxiproxy', 'CHRONAWFLOW_TOXIPROXY=', 'releases'])
    expect(stderr).toContain(help);
});

test('toxiproxy: a download counts only with the checksum of the official program', async () => {
  const body = 'not the official program';
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  env.CHRONAWFLOW_TOXIPROXY_DOWNLOAD = `http://127.0.0.1:${address.port}/`;
  writeScript(join(bin, 'go'), FROM_SOURCE);
  const { stdout, stderr } = await prepare();
  await new Promise((resolve) => server.close(resolve));
  expect(stderr).toContain(`SHA-256 is ${createHash('sha256').update(body).digest('hex')}`);
  expect(JSON.parse(stdout).summary).toContain('built with Go');
});
