import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Pool } from 'pg';
import { stringify } from 'yaml';
import { recordAuditEvent } from '../../core/audit';
import { preparePlatformDatabase } from '../../core/local-stack';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'client', 'cli', 'main.js');
const EVENTS = 300;

const cleanUp = new CleanUp();
let postgres: RealPostgres;
let directory: string;
/** As the processes that record connect, and as the owner of everything. */
let running: Pool;
let superuser: Pool;

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function cli(...args: readonly string[]): Promise<Answer> {
  const env = {
    ...process.env,
    CHRONAWFLOW_CONFIG: join(directory, 'chronawflow.yaml'),
    NODE_NO_WARNINGS: '1',
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, 'audit', ...args], { env, cwd: directory }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function startSealer(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'workers', 'sealer.js')], {
    env: { ...process.env, CHRONAWFLOW_CONFIG: join(directory, 'chronawflow.yaml') },
    stdio: 'ignore',
  });
  cleanUp.add(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

async function allSealed(): Promise<void> {
  await until(
    async () => {
      const { rows } = await superuser.query<{ open: string }>(
        `select count(*) as open from chronawflow.audit_event e
          where not exists (select from chronawflow.audit_place s where s.event_id = e.id)`,
      );
      return rows[0]?.open === '0';
    },
    { limitMs: 60_000, what: 'all events sealed' },
  );
}

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
  directory = await mkdtemp(join(tmpdir(), 'chronawflow-audit-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  postgres = await startPostgres();
  cleanUp.add(() => postgres.stop());
  const { socketDirectory: host, port } = postgres;
  await preparePlatformDatabase(
    { host, port, user: 'postgres' },
    {
      database: 'chronawflow',
      role: 'chronawflow',
      password: undefined,
      sealer: { role: 'chronawflow_sealer', password: undefined },
    },
  );
  running = postgres.connect('chronawflow', 'chronawflow', 2);
  superuser = postgres.connect('chronawflow', undefined, 2);
  const config = (audit: object) => ({
    platform: { database: { host, port, database: 'chronawflow', user: 'chronawflow' } },
    application: {
      database: { host, port, database: 'postgres', user: 'chronawflow' },
      backup: { stanza: 'app', configFile: 'pgbackrest.conf', scratchDirectory: join(directory, 'scratch') },
    },
    tenancy: { table: 'public.tenants' },
    audit,
  });
  await writeFile(join(directory, 'chronawflow.yaml'), stringify(config({})));
  const made = await cli('keygen', '--name', 'example.org/audit', '--out', 'audit.key', '--json');
  await cli('keygen', '--name', 'example.org/audit', '--out', 'pq.key', '--quantum-safe');
  const { publicKey } = JSON.parse(made.stdout);
  await writeFile(join(directory, 'log.pub'), publicKey);
  const audit = {
    publicKey,
    keyFile: 'audit.key',
    quantumSafeKeyFile: 'pq.key',
    database: { host, port, database: 'chronawflow', user: 'chronawflow_sealer' },
  };
  await writeFile(join(directory, 'chronawflow.yaml'), stringify(config(audit)));
  for (let i = 0; i < EVENTS; i += 1) {
    const tenant = i % 2 === 0 ? 'acme' : 'beta';
    await recordAuditEvent(running, { id: `e${i}`, actor: 'ada', action: 'test', tenant, outcome: 'ok' });
  }
}, 240_000);
afterAll(() => cleanUp.run());

test('a key is for its owner alone, never shown, and never overwritten', async () => {
  const file = join(directory, 'audit.key');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const again = await cli('keygen', '--name', 'example.org/audit', '--out', 'audit.key');
  expect(again).toMatchObject({ code: 2, stdout: '' });
  expect(again.stderr).toContain('is there already');
  const secret = (await readFile(file, 'utf8')).trim().split('+').slice(4).join('+');
  expect(secret.length).toBeGreaterThan(40);
  expect(again.stderr).not.toContain(secret);
  const bad = await cli('keygen', '--name', 'a b', '--out', 'other.key');
  expect(bad).toMatchObject({ code: 2 });
});

test('a sealer with its own role seals; killed, another one goes on; told to stop, it ends', async () => {
  const before = await cli('verify', '--json');
  expect(JSON.parse(before.stdout)).toMatchObject({
    logs: 0,
    violations: [],
    // That it was verified is an event as well.
    unsealed: { events: EVENTS + 1 },
  });
  const first = await startSealer();
  const second = await startSealer();
  await allSealed();
  first.kill('SIGKILL');
  await once(first, 'exit');
  await recordAuditEvent(running, {
    id: 'after',
    actor: 'ada',
    action: 'test',
    tenant: 'acme',
    outcome: 'ok',
  });
  await allSealed();
  second.kill('SIGTERM');
  expect(await once(second, 'exit')).toEqual([0, null]);
  const after = await cli('verify');
  expect(after.stderr).toBe('');
  expect(after.code).toBe(0);
  expect(after.stdout).toContain(`Verified: ${EVENTS + 2} events in 4 logs`);
  expect(after.stdout).toMatch(/Platform checkpoint: \d+ entries, root /);
}, 240_000);

test('nobody has more rights than its part needs', async () => {
  const sealer = postgres.connect('chronawflow', 'chronawflow_sealer', 1);
  const denied = expect.objectContaining({ code: '42501' });
  const refused = async (pool: Pool, sql: string) => expect(pool.query(sql)).rejects.toEqual(denied);
  await refused(
    sealer,
    `insert into chronawflow.audit_event (id, actor, action, outcome) values ('x', 'x', 'x', 'x')`,
  );
  await refused(sealer, `update chronawflow.audit_checkpoint set note = ''`);
  await refused(sealer, `update chronawflow.audit_log set origin = 'x'`);
  await refused(sealer, 'select from chronawflow.restore');
  await refused(running, `insert into chronawflow.audit_checkpoint (log, size, note) values (1, 0, '')`);
  await refused(running, 'update chronawflow.audit_log set size = 0');
  await refused(running, `update chronawflow.audit_seal set id = ''`);
  await refused(running, 'delete from chronawflow.audit_event');
});

test('an export verifies without a database, by its public key', async () => {
  const exported = await cli('export', '--out', 'evidence', '--tenant', 'acme');
  expect(exported.stderr).toBe('');
  expect(exported.stdout).toContain(`Exported ${EVENTS / 2 + 1} events in 2 logs`);
  const verified = await cli('verify', '--directory', 'evidence', '--key', 'evidence/log.pub', '--json');
  expect(JSON.parse(verified.stdout)).toMatchObject({ logs: 2, entries: EVENTS / 2 + 1, violations: [] });
  expect(await cli('export', '--out', 'evidence')).toMatchObject({ code: 2 });
  expect((await cli('export', '--out', 'none', '--tenant', 'nobody')).stderr).toContain(
    'No event of tenant nobody',
  );

  const [name] = Object.keys(JSON.parse(await readFile(join(directory, 'evidence', 'tenants.json'), 'utf8')));
  const bundle = join(
    directory,
    'evidence',
    'logs',
    name ?? '',
    'tile',
    'entries',
    '000.p',
    `${EVENTS / 2 + 1}`,
  );
  const text = await readFile(bundle, 'latin1');
  await writeFile(bundle, text.replace('"actor":"ada"', '"actor":"eve"'), 'latin1');
  const tampered = await cli('verify', '--directory', 'evidence', '--key', 'evidence/log.pub');
  expect(tampered.code).toBe(1);
  expect(tampered.stdout).toMatch(/entry 0 is not what the hash in tile 0 was made of/);
});

test('who has read the log is in it, and reading is off where it is not wanted', async () => {
  const read = async () => {
    const { rows } = await superuser.query<{ action: string; actor: string; tenant: string | null }>(
      `select action, actor, tenant from chronawflow.audit_event where id like 'read/%' order by at`,
    );
    return rows;
  };
  const before = (await read()).length;
  await cli('verify', '--tenant', 'beta');
  await cli('prove', '--event', 'e7');
  await cli('export', '--out', 'read-evidence', '--tenant', 'acme');
  const actor = expect.stringMatching(/./);
  expect((await read()).slice(before)).toEqual([
    { action: 'audit.verify', actor, tenant: 'beta' },
    { action: 'audit.prove', actor, tenant: null },
    { action: 'audit.export', actor, tenant: 'acme' },
  ]);
  const file = join(directory, 'chronawflow.yaml');
  const audited = await readFile(file, 'utf8');
  await superuser.query('revoke insert on chronawflow.audit_event from chronawflow');
  try {
    const refused = await cli('verify');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('READ_NOT_RECORDED');
    await writeFile(file, audited.replace('audit:\n', 'audit:\n  reads: { log: false }\n'));
    expect(await cli('verify')).toMatchObject({ code: 0 });
  } finally {
    await superuser.query('grant insert on chronawflow.audit_event to chronawflow');
    await writeFile(file, audited);
  }
  expect(await read()).toHaveLength(before + 3);
});

test('a receipt proves one event', async () => {
  expect(await cli('prove', '--event', 'e7', '--out', 'receipt.json')).toMatchObject({ code: 0, stderr: '' });
  const proved = await cli('verify-receipt', 'receipt.json', '--key', 'log.pub', '--json');
  expect(JSON.parse(proved.stdout)).toMatchObject({
    event: { id: 'e7', actor: 'ada' },
    signedBy: ['example.org/audit'],
  });
  const receipt = await readFile(join(directory, 'receipt.json'), 'utf8');
  await writeFile(join(directory, 'forged.json'), receipt.replace('ada', 'eve'));
  const forged = await cli('verify-receipt', 'forged.json', '--key', 'log.pub');
  expect(forged).toMatchObject({ code: 1, stdout: '' });
  expect(forged.stderr).toContain('RECEIPT_INVALID');
  expect(await cli('prove', '--event', 'nowhere')).toMatchObject({ code: 1 });
  expect((await cli('verify-receipt', 'log.pub')).stderr).toContain('no JSON');
});

test('a checkpoint is kept while nothing is wrong, and a changed event is named', async () => {
  expect(await cli('verify', '--keep', 'kept')).toMatchObject({ code: 0 });
  expect(await cli('verify', '--against', 'kept')).toMatchObject({ code: 0 });
  expect((await cli('verify', '--against', 'missing')).stderr).toContain('There is no file missing');
  await superuser.query('alter table chronawflow.audit_event disable trigger all');
  await superuser.query(`update chronawflow.audit_event set actor = 'eve' where id = 'e3'`);
  await superuser.query('alter table chronawflow.audit_event enable always trigger audit_event_insert_only');
  await superuser.query('alter table chronawflow.audit_event enable always trigger audit_event_no_truncate');
  const found = await cli('verify', '--keep', 'worthless');
  expect(found.code).toBe(1);
  await expect(stat(join(directory, 'worthless'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(found.stdout).toContain('event e3 was changed: actor was "ada", is "eve"');
  expect(found.stdout).toContain(`1 violation in ${EVENTS + 2} events`);
});
