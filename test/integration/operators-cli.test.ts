import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Pool } from 'pg';
import { preparePlatformDatabase } from '../../core/local-stack';
import { openSigner, parsePublicKey, type Signer, signerOfAgent } from '../../core/operators';
import { NAMESPACE, signerOf } from '../../core/operators/ssh';
import { CleanUp } from '../support/clean-up';
import { startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'client', 'cli', 'main.js');
const run = promisify(execFile);

const cleanUp = new CleanUp();
let directory: string;
let platform: Pool;
let rootKey: string;

const file = (name: string) => join(directory, name);

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `chronawflow operators …` with somebody's key. */
function operators(key: string | undefined, ...args: readonly string[]): Promise<Answer> {
  const { CHRONAWFLOW_OPERATOR_KEY: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    CHRONAWFLOW_CONFIG: file('chronawflow.yaml'),
    NODE_NO_WARNINGS: '1',
    ...(key === undefined ? {} : { CHRONAWFLOW_OPERATOR_KEY: file(key) }),
  };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [MAIN, 'operators', ...args],
      { env, cwd: directory },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') reject(error);
        else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

const sshKey = (name: string, passphrase = '') =>
  run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', name, '-f', file(name)]);

beforeAll(async () => {
  await run(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
  directory = await mkdtemp(join(tmpdir(), 'chronawflow-operators-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  const postgres = await startPostgres();
  cleanUp.add(() => postgres.stop());
  const { socketDirectory: host, port } = postgres;
  const names = { database: 'platform', role: 'chronawflow', password: undefined };
  await preparePlatformDatabase({ host, port, user: 'postgres' }, names);
  platform = postgres.connect('platform');
  const generated = await operators(undefined, 'keygen', '--out', file('root.key'), '--json');
  rootKey = JSON.parse(generated.stdout).publicKey;
  const database = { host, port, database: 'platform', user: 'chronawflow' };
  const config = {
    platform: { database },
    application: { database, backup: { stanza: 's', configFile: 'c' } },
    tenancy: { table: 't' },
    operators: { administrators: { root: rootKey } },
  };
  await writeFile(file('chronawflow.yaml'), JSON.stringify(config));
}, 240_000);

afterAll(() => cleanUp.run());

test('a key is made for its owner’s eyes alone, and never overwritten', async () => {
  expect((await stat(file('root.key'))).mode & 0o777).toBe(0o600);
  const before = await readFile(file('root.key'), 'utf8');
  const again = await operators(undefined, 'keygen', '--out', file('root.key'));
  expect(again).toMatchObject({ code: 2, stdout: '' });
  expect(await readFile(file('root.key'), 'utf8')).toBe(before);
});

test('a root adds an administrator, who adds others, rotates and revokes; each signs with the key that he has', async () => {
  await sshKey('ada');
  await sshKey('grace');
  await sshKey('grace-new');
  await expect(
    operators('root.key', 'add', 'ada', '--key', file('ada.pub'), '--role', 'administrator'),
  ).resolves.toMatchObject({ code: 0 });
  const roles = ['--role', 'approver', '--role', 'requester:acme,birch'];
  await expect(operators('ada', 'add', 'grace', '--key', file('grace.pub'), ...roles)).resolves.toMatchObject(
    { code: 0 },
  );
  await expect(operators('grace', 'rotate', '--key', file('grace-new.pub'))).resolves.toMatchObject({
    code: 0,
  });
  const late = await operators('grace', 'rotate', '--key', file('ada.pub'));
  expect(late).toMatchObject({ code: 3 });
  expect(late.stderr).toContain('STATEMENT_REFUSED');
  const { stdout } = await operators(undefined, 'list', '--json');
  const listed: { operators: { name: string; keys: unknown[]; grants: unknown }[] } = JSON.parse(stdout);
  expect(listed.operators.map(({ name, keys }) => [name, keys.length])).toEqual([
    ['root', 1],
    ['ada', 1],
    ['grace', 2],
  ]);
  expect(listed.operators[2]?.grants).toEqual([
    { role: 'approver' },
    { role: 'requester', tenants: ['acme', 'birch'] },
  ]);
  await expect(operators('ada', 'revoke', 'grace', '--reason', 'left')).resolves.toMatchObject({ code: 2 });
  await expect(operators('ada', 'revoke', 'grace', '--reason', 'left', '--yes')).resolves.toMatchObject({
    code: 0,
  });
  const page = await operators(undefined, 'list');
  expect(page.stdout).toMatch(/grace.*revoked by ada/);
  const { rows } = await platform.query(
    `select actor, action, object from chronawflow.audit_event where action like 'operators.%' order by at`,
  );
  expect(rows).toEqual([
    { actor: 'root', action: 'operators.add', object: 'ada' },
    { actor: 'ada', action: 'operators.add', object: 'grace' },
    { actor: 'grace', action: 'operators.rotate', object: 'grace' },
    { actor: 'ada', action: 'operators.revoke', object: 'grace' },
  ]);
}, 240_000);

test('who has no key, somebody else’s or none that is known changes nothing, with a code', async () => {
  await sshKey('mallory');
  const add = ['add', 'mallory', '--key', file('mallory.pub'), '--role', 'administrator'];
  for (const [key, code, said] of [
    [undefined, 2, 'SIGNER_UNAVAILABLE'],
    ['none.key', 2, 'SIGNER_UNAVAILABLE'],
    ['mallory', 2, 'SIGNER_UNAVAILABLE'],
    ['chronawflow.yaml', 2, 'SIGNER_UNAVAILABLE'],
  ] as const) {
    const answer = await operators(key, ...add);
    expect(answer).toMatchObject({ code });
    expect(answer.stderr).toContain(said);
  }
  const unknown = await operators('root.key', 'add', 'x', '--key', 'ssh-rsa AAAA', '--role', 'approver');
  expect(unknown).toMatchObject({ code: 2 });
  const role = await operators('root.key', 'add', 'x', '--key', file('mallory.pub'), '--role', 'king');
  expect(role).toMatchObject({ code: 2 });
});

describe('signatures', () => {
  const message = 'what is wanted';

  /** OpenSSH's own verdict. */
  async function verifiedByOpenSsh(signer: Signer, signature: string): Promise<boolean> {
    await writeFile(file('allowed'), `ada ${signer.key.text}\n`);
    const lines = signature.match(/.{1,70}/g) ?? [];
    await writeFile(
      file('sig'),
      ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n'),
    );
    const child = spawn(
      'ssh-keygen',
      ['-Y', 'verify', '-f', file('allowed'), '-I', 'ada', '-n', NAMESPACE, '-s', file('sig')],
      { stdio: ['pipe', 'ignore', 'ignore'] },
    );
    child.stdin.end(message);
    const [code] = await once(child, 'exit');
    return code === 0;
  }

  test('of keys that we have made are good for OpenSSH, and those of OpenSSH for us', async () => {
    await sshKey('of-openssh');
    for (const key of ['root.key', 'of-openssh']) {
      const signer = await openSigner(file(key));
      const signature = await signer.sign(message);
      expect(signerOf(message, signature)?.text).toBe(signer.key.text);
      await expect(verifiedByOpenSsh(signer, signature)).resolves.toBe(true);
    }
  });

  test('are made by ssh-agent, which keeps the private half', async () => {
    await sshKey('in-agent');
    const socket = file('agent.sock');
    const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    cleanUp.add(async () => {
      if (agent.exitCode === null && agent.kill()) await once(agent, 'exit');
    });
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    await until(
      async () =>
        run('ssh-add', ['-q', file('in-agent')], { env }).then(
          () => true,
          () => false,
        ),
      { what: 'the agent' },
    );
    const key = parsePublicKey(await readFile(file('in-agent.pub'), 'utf8'));
    await rm(file('in-agent'));
    const signer = signerOfAgent(key, socket);
    const signature = await signer.sign(message);
    expect(signerOf(message, signature)?.text).toBe(key.text);
    await expect(verifiedByOpenSsh(signer, signature)).resolves.toBe(true);
    const other = signerOfAgent(parsePublicKey(rootKey), socket);
    await expect(other.sign(message)).rejects.toMatchObject({ code: 'SIGNER_UNAVAILABLE' });
  });

  test('of a file that nobody can read the passphrase of are refused, and of an agent that is not there', async () => {
    await sshKey('locked', 'a passphrase');
    const locked = await openSigner(file('locked'));
    await expect(locked.sign(message)).rejects.toMatchObject({ code: 'SIGNER_UNAVAILABLE' });
    const agentless = signerOfAgent(locked.key, file('no.sock'));
    await expect(agentless.sign(message)).rejects.toMatchObject({ code: 'SIGNER_UNAVAILABLE' });
  });
});
