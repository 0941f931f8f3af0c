import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AS_ROOT, type Ended, isolatedPath, startInNode, writeScript } from './in-node';

const PREPARE = `
  ${AS_ROOT}
  import { preparePromtool } from 'bootstrap/promtool.mjs';
  const { value, summary } = await preparePromtool({ env: process.env, note: console.error });
  console.log(JSON.stringify({ path: value.CHRONAWFLOW_PROMTOOL, summary }));
`;

let directory: string;
let bin: string;
let cached: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chronawflow-bootstrap-'));
  bin = isolatedPath(join(directory, 'bin'), ['sh', 'mkdir', 'chmod', 'touch']);
  cached = join(directory, 'cache', 'chronawflow', 'promtool', 'promtool');
  env = { PATH: bin, XDG_CACHE_HOME: join(directory, 'cache') };
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const prepare = (): Promise<Ended> => startInNode(PREPARE, env).ended;

/** An apt whose lists are there from the beginning or not, and a package that holds the program of this version. */
function fakeDebian(options: { readonly lists: boolean; readonly version?: string }): void {
  const lists = join(directory, 'lists');
  writeScript(
    join(bin, 'apt-get'),
    `echo "$@" >> ${directory}/calls
     [ "$1" = update ] && touch ${lists}
     if [ "$1" = download ]; then [ -e ${lists} ] || { echo 'Unable to locate package' >&2; exit 100; }; touch prometheus_1_amd64.deb; fi`,
  );
  writeScript(
    join(bin, 'dpkg-deb'),
    `mkdir -p "$3/usr/bin"
     printf '#!/bin/sh\\necho "promtool, version ${options.version ?? '2.42.0+ds'} (branch: x)"\\n' > "$3/usr/bin/promtool"
     chmod +x "$3/usr/bin/promtool"`,
  );
  if (options.lists) writeScript(lists, '');
}

const calls = (): string[] => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');

test('promtool: taken out of the package, which is not installed, and kept', async () => {
  fakeDebian({ lists: true });
  expect(JSON.parse((await prepare()).stdout)).toEqual({
    path: cached,
    summary: 'promtool 2.42.0+ds, taken from the package prometheus',
  });
  expect(JSON.parse((await prepare()).stdout).summary).toBe('promtool 2.42.0+ds, in the cache');
  expect(calls()).toEqual(['download prometheus']);
  expect(readdirSync(join(directory, 'cache', 'chronawflow'))).toEqual(['promtool']);
});

test('promtool: lists are fetched once if needed', async () => {
  fakeDebian({ lists: false });
  expect(JSON.parse((await prepare()).stdout).path).toBe(cached);
  expect(calls()).toEqual(['download prometheus', 'update', 'download prometheus']);
});

test('promtool: one that is too old is neither used from PATH nor kept in the cache', async () => {
  writeScript(join(bin, 'promtool'), 'echo "promtool, version 2.31.2 (branch: x)"');
  fakeDebian({ lists: true, version: '2.33.1' });
  const { code, stderr } = await prepare();
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/not used: .*2\.31\.2; 2\.42 or newer is needed/);
  expect(stderr).toContain('promtool 2.33.1; 2.42 or newer is needed');
  expect(existsSync(cached)).toBe(false);
});

test('promtool: without apt, one message has the commands of each system', async () => {
  const { code, stderr } = await prepare();
  expect(code).not.toBe(0);
  for (const command of ['sudo apt-get update', 'sudo dnf install', 'brew install', 'CHRONAWFLOW_PROMTOOL='])
    expect(stderr).toContain(command);
});
