import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AS_ROOT, isolatedPath, partsOfThisRun, resultInNode, startBootstrap, writeScript } from './in-node';

let directory: string;
let bin: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chronawflow-bootstrap-'));
  bin = isolatedPath(join(directory, 'bin'), ['sh', 'cat', 'ls']);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function choose(missing: readonly string[], offered: string): Promise<unknown> {
  return resultInNode(`
    import { choosePackages } from 'bootstrap/apt.mjs';
    console.log(JSON.stringify(choosePackages(${JSON.stringify(missing)}, ${JSON.stringify(offered)}, 15) ?? null));
  `);
}

test('missing programs that cannot be installed are one message with the commands of each system', async () => {
  writeScript(join(directory, 'old', 'pgbackrest'), 'echo "pgBackRest 2.37"');
  const { code, stdout, stderr } = await startBootstrap(['--print'], {
    ...partsOfThisRun(),
    PATH: bin,
    XDG_CACHE_HOME: directory,
    CHRONAWFLOW_TEMPORAL_CLI: temporal(),
    CHRONAWFLOW_POSTGRES_BIN: directory,
    CHRONAWFLOW_PGBACKREST: join(directory, 'old', 'pgbackrest'),
  }).ended;
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('PostgreSQL 15 or newer and pgBackRest 2.45 or newer is missing');
  expect(stderr).toContain(`${directory} lacks postgres, initdb`);
  expect(stderr).toContain('answers "pgBackRest 2.37"');
  for (const command of ['sudo apt-get install', 'sudo dnf install', 'brew install'])
    expect(stderr).toContain(command);
});

/** A stand-in, so that this test neither finds nor builds the real one. */
function temporal(): string {
  writeScript(join(directory, 'temporal'), 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"');
  return join(directory, 'temporal');
}

test('apt: the newest server that is offered, and nothing that is there already', async () => {
  const lists =
    'postgresql-15 - The server\npostgresql-17 - The server\npostgresql-9 - x\npgbackrest - Backup\n';
  expect(await choose(['postgres', 'pgbackrest'], lists)).toEqual(['postgresql-17', 'pgbackrest']);
  expect(await choose(['pgbackrest'], lists)).toEqual(['pgbackrest']);
});

test('apt: nothing is installed from a release that has no server new enough', async () => {
  expect(await choose(['postgres'], 'postgresql-14 - The server\npgbackrest - Backup\n')).toBeNull();
  expect(await choose(['postgres', 'pgbackrest'], '')).toBeNull();
});

test('apt: lists are fetched once if needed, and no server is started', async () => {
  const log = join(directory, 'log');
  const settings = join(directory, 'postgresql-common', 'createcluster.d');
  writeScript(
    join(bin, 'apt-get'),
    `[ "$1" = update ] && echo fetched > ${join(directory, 'lists')}
     echo "$DEBIAN_FRONTEND $* [$(cat ${settings}/* 2>&-)]" >> ${log}`,
  );
  writeScript(
    join(bin, 'apt-cache'),
    `[ -e ${join(directory, 'lists')} ] && printf 'postgresql-15 - x\\npgbackrest - x\\n'; true`,
  );
  await resultInNode(
    `
    ${AS_ROOT}
    import { installWithApt } from 'bootstrap/apt.mjs';
    await installWithApt(['postgres', 'pgbackrest'], {
      env: process.env, note() {}, oldestPostgres: 15, clusterSettings: '${settings}',
    });
    console.log('null');
  `,
    { PATH: bin, XDG_CACHE_HOME: join(directory, 'cache') },
  );
  const install = 'noninteractive install -y --no-install-recommends -o DPkg::Lock::Timeout=120';
  expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
    'noninteractive update []',
    `${install} postgresql-common []`,
    `${install} postgresql-15 pgbackrest [create_main_cluster = false]`,
  ]);
  expect(existsSync(settings)).toBe(false);
});
