import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { recordAuditEvent, verifyDatabase, writeSigningKey } from '../../core/audit';
import { formatVerifierKey, generateSigningKey } from '../../core/audit/note';
import { applyMigrations } from '../../database';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { ensureBuilt } from '../support/restore-stage-worker';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

/** The sealer's process with keys that it does not have in one file: `audit.signCommand`, `audit.formerKeyFile`. */

const SEALER = join(__dirname, '..', '..', 'dist', 'workers', 'sealer.js');
const ORIGIN = 'example.org/audit';
const first = generateSigningKey(ORIGIN, 'ed25519');
const second = generateSigningKey(ORIGIN, 'ed25519');

const cleanUp = new CleanUp();
let postgres: RealPostgres;
let platform: Pool;
let directory: string;
let events = 0;

beforeAll(async () => {
  await ensureBuilt();
  directory = await throwawayDirectory('sealer-keys');
  cleanUp.add(() => removeDirectory(directory));
  postgres = await startPostgres();
  cleanUp.add(() => postgres.stop());
  platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
  await writeSigningKey(join(directory, 'first.key'), first);
  await writeSigningKey(join(directory, 'second.key'), second);
  await writeSigningKey(join(directory, 'other.key'), generateSigningKey('example.org/other', 'ed25519'));
  // What stands before a KMS: reads messages, and alone knows the key.
  await writeFile(
    join(directory, 'kms.js'),
    `const { createPrivateKey, sign } = require('node:crypto');
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from('${first.seed.toString('hex')}', 'hex')]);
const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) =>
  console.log(sign(null, Buffer.from(line, 'base64'), key).toString('base64')));`,
  );
}, 240_000);
afterAll(() => cleanUp.run());

interface Sealer {
  readonly child: ChildProcess;
  /** What it has logged. */
  said(): string;
  /** Stops it as a supervisor does. @returns its exit code */
  stop(): Promise<number | null>;
}

async function startSealer(audit: object): Promise<Sealer> {
  const database = postgres.connection('platform');
  const configFile = join(directory, 'chronawflow.json');
  const config = {
    platform: { database },
    application: { database, backup: { stanza: 's', configFile: 'c' } },
    tenancy: { table: 'public.tenants' },
    audit,
  };
  await writeFile(configFile, JSON.stringify(config));
  const child = spawn(process.execPath, [SEALER], {
    env: { ...process.env, CHRONAWFLOW_CONFIG: configFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = once(child, 'close');
  cleanUp.add(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    said: () => said,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
  };
}

async function sealOne(): Promise<void> {
  events += 1;
  const id = `event-${events}`;
  await recordAuditEvent(platform, { id, actor: 'ada', action: 'test', tenant: 'acme', outcome: 'ok' });
  await until(
    async () =>
      (await platform.query('select from chronawflow.audit_place where event_id = $1', [id])).rowCount === 1,
    { limitMs: 60_000, what: `${id} to be sealed` },
  );
}

const problems = async (...keys: readonly (typeof first)[]) =>
  (await verifyDatabase(platform, keys)).violations.map(({ problem }) => problem);

test('seals with a key that only another program has, then with the next key beside it, then with that alone', async () => {
  const external = await startSealer({
    publicKey: formatVerifierKey(first),
    signCommand: [process.execPath, join(directory, 'kms.js')],
  });
  await sealOne();
  expect(await external.stop()).toBe(0);
  expect(await problems(first)).toEqual([]);

  const overlap = await startSealer({
    publicKey: formatVerifierKey(second),
    keyFile: join(directory, 'second.key'),
    formerKeyFile: join(directory, 'first.key'),
  });
  await sealOne();
  expect(await overlap.stop()).toBe(0);
  // Whoever knows only the old key still verifies.
  expect(await problems(first)).toEqual([]);

  const alone = await startSealer({
    publicKey: formatVerifierKey(second),
    keyFile: join(directory, 'second.key'),
  });
  await sealOne();
  expect(await alone.stop()).toBe(0);
  expect(await problems(second, first)).toEqual([]);
  expect(await problems(first)).toContainEqual(expect.stringContaining('no known key has signed it'));
}, 240_000);

test.each([
  [
    'a program whose public key nobody has named',
    () => ({ signCommand: [process.execPath, join(directory, 'kms.js')] }),
    'audit.signCommand needs audit.publicKey',
  ],
  [
    'a former key of another log',
    () => ({ keyFile: join(directory, 'second.key'), formerKeyFile: join(directory, 'other.key') }),
    'audit.formerKeyFile is of another log',
  ],
  ['no key at all', () => ({}), 'audit.keyFile is not set'],
])(
  'does not start with %s',
  async (_, audit, message) => {
    const sealer = await startSealer(audit());
    await until(() => sealer.child.exitCode !== null, { limitMs: 60_000, what: 'the sealer to end' });
    expect(sealer.child.exitCode).toBe(1);
    await until(() => sealer.said().includes(message), { what: message });
  },
  120_000,
);
