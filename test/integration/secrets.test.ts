import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../core/cluster';
import { CleanUp } from '../support/clean-up';

const ROOT = join(__dirname, '..', '..');
const CLI = join(ROOT, 'dist', 'client', 'cli', 'main.js');
const run = promisify(execFile);

/** Each secret that a configuration can have, in every way it can be given. */
const CANARIES = {
  platformPassword: 'canary-of-the-platform',
  applicationPassword: 'canary-of-the-application',
  sealerPassword: 'canary-of-the-sealer',
  apiKey: 'canary-of-temporal',
  adminUrl: 'canary-of-the-superuser',
};

const FROM_ENVIRONMENT = ['$', '{APPLICATION_PASSWORD}'].join('');

const cleanUp = new CleanUp();
let directory: string;
let operatorSecret: string;
let logSecret: string;
let env: NodeJS.ProcessEnv;

const file = (name: string) => join(directory, name);

beforeAll(async () => {
  await run(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
  directory = await mkdtemp(join(tmpdir(), 'chronawflow-secrets-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  env = {
    ...process.env,
    CHRONAWFLOW_CONFIG: file('chronawflow.yaml'),
    CHRONAWFLOW_OPERATOR_KEY: file('operator.key'),
    CHRONAWFLOW_LOG_LEVEL: 'trace',
    APPLICATION_PASSWORD: CANARIES.applicationPassword,
  };
  await run(process.execPath, [CLI, 'operators', 'keygen', '--out', file('operator.key')], { env });
  await run(
    process.execPath,
    [CLI, 'audit', 'keygen', '--name', 'example.com/a', '--out', file('audit.key')],
    { env },
  );
  const publicKey = (
    await run(process.execPath, [CLI, 'operators', 'keygen', '--out', file('root.key'), '--json'], { env })
  ).stdout;
  operatorSecret = (await readFile(file('operator.key'), 'utf8')).split('\n')[1] ?? '';
  // PRIVATE+KEY+name+hash+key; the key is base64, which may have a + of its own.
  logSecret = (await readFile(file('audit.key'), 'utf8')).trim().split('+').slice(4).join('+');
  expect(logSecret.length).toBeGreaterThan(20);
  await writeFile(file('platform.password'), CANARIES.platformPassword);
  await writeFile(file('sealer.password'), CANARIES.sealerPassword);
  await writeFile(file('api.key'), CANARIES.apiKey);
  // Nobody listens there: everything fails, with errors from every library.
  const port = await freePort();
  await writeFile(
    file('chronawflow.yaml'),
    JSON.stringify({
      temporal: { address: `127.0.0.1:${port}`, apiKeyFile: 'api.key', tls: true },
      platform: {
        database: { host: '127.0.0.1', port, database: 'p', user: 'u', passwordFile: 'platform.password' },
      },
      application: {
        database: {
          host: '127.0.0.1',
          port,
          database: 'a',
          user: 'u',
          password: FROM_ENVIRONMENT,
          ssl: true,
        },
        backup: { stanza: 's', configFile: 'none.conf' },
      },
      tenancy: { table: 'public.t' },
      audit: {
        keyFile: 'audit.key',
        database: { host: '127.0.0.1', port, database: 'p', user: 's', passwordFile: 'sealer.password' },
      },
      operators: { administrators: { root: JSON.parse(publicKey).publicKey } },
    }),
  );
}, 240_000);

afterAll(() => cleanUp.run());

function secrets(): readonly string[] {
  return [...Object.values(CANARIES), operatorSecret, logSecret];
}

/** All that a process says until it ends, or has said this. */
async function outputOf(
  program: string,
  args: readonly string[],
  { more = {}, until }: { readonly more?: NodeJS.ProcessEnv; readonly until?: RegExp } = {},
): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...env, ...more }, cwd: directory });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (until?.test(said)) child.kill('SIGKILL');
    });
  }
  const limit = setTimeout(() => child.kill('SIGKILL'), 90_000);
  await once(child, 'close');
  clearTimeout(limit);
  return said;
}

function withoutSecrets(said: string): void {
  for (const secret of secrets()) expect(said).not.toContain(secret);
}

test('no command says a secret, whatever fails, also with --debug', async () => {
  const url = `postgresql://admin:${CANARIES.adminUrl}@127.0.0.1:1`;
  const more = { CHRONAWFLOW_PLATFORM_ADMIN_URL: url, CHRONAWFLOW_APPLICATION_ADMIN_URL: url };
  const commands = [
    ['doctor'],
    ['recovery', 'points'],
    ['recovery', 'restore', '--tenant', 'acme', '--to', '20m ago', '--yes'],
    ['jobs', 'dead', '--json'],
    ['operators', 'add', 'x', '--key', 'operator.key', '--role', 'approver'],
    ['operators', 'list'],
    ['audit', 'verify', '--key', 'audit.key'],
    ['prepare'],
  ];
  const answers = await Promise.all(
    commands.map((command) => outputOf(CLI, [...command, '--debug'], { more })),
  );
  for (const [index, said] of answers.entries()) {
    expect({ command: commands[index], said: said.length > 0 }).toEqual({
      command: commands[index],
      said: true,
    });
    withoutSecrets(said);
  }
}, 240_000);

test('no process logs a secret, at the level trace and with everything away', async () => {
  const entries = {
    'main.js': /cannot start yet/,
    'control.js': /cannot start yet/,
    'sealer.js': /trying again/,
  };
  await Promise.all(
    Object.entries(entries).map(async ([entry, until]) => {
      const said = await outputOf(join(ROOT, 'dist', 'workers', entry), [], { until });
      expect(said).toMatch(until);
      withoutSecrets(said);
    }),
  );
}, 240_000);

test('a configuration that is wrong around a secret is told without it', async () => {
  const text = await readFile(file('chronawflow.yaml'), 'utf8');
  for (const wrong of [
    text.replace('"password":', '"pasword":'),
    text.replace(`"password":"${FROM_ENVIRONMENT}"`, `"password":{"x":"${CANARIES.applicationPassword}"}`),
    text.replace('"stanza":', `"${CANARIES.applicationPassword.slice(0, 6)}":1,"stanza":`),
    `${text}\n: {`,
  ]) {
    await writeFile(file('wrong.yaml'), wrong);
    const said = await outputOf(CLI, ['recovery', 'points', '--config', file('wrong.yaml'), '--debug']);
    expect(said).toContain('CONFIG_INVALID');
    withoutSecrets(said);
  }
}, 240_000);
