import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { exportLogs, formatReceipt, proveEvent, recordAuditEvent, verifyReceipt } from '../../core/audit';
import { generateSigningKey } from '../../core/audit/note';
import { ExternalSigner, LogSigner, sealBatch } from '../../core/audit/seal';
import { verifyDatabase, verifyExport } from '../../core/audit/verify';
import { applyMigrations } from '../../database';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

const ORIGIN = 'example.org/audit';
const first = generateSigningKey(ORIGIN, 'ed25519');
const second = generateSigningKey(ORIGIN, 'ed25519');

const cleanUp = new CleanUp();
let directory: string;
let postgres: RealPostgres;
let platform: Pool;
let databases = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chronawflow-rotation-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  postgres = await startPostgres();
  cleanUp.add(() => postgres.stop());
});
beforeEach(async () => {
  platform = await postgres.createDatabase(`rotation_${++databases}`);
  await applyMigrations(platform, 'platform');
});
afterAll(() => cleanUp.run());

async function seal(signer: LogSigner, ...ids: readonly string[]): Promise<void> {
  for (const id of ids)
    await recordAuditEvent(platform, { id, actor: 'ada', action: 'test', tenant: 'acme', outcome: 'ok' });
  while ((await sealBatch(platform, signer)).events > 0);
}

const problems = async (...keys: readonly (typeof first)[]) =>
  (await verifyDatabase(platform, keys)).violations.map(({ problem }) => problem);

test('a key is changed with an overlap: whoever knows one of them verifies meanwhile, and old checkpoints for ever', async () => {
  await seal(new LogSigner({ log: first }), 'one');
  const receiptOf = async (id: string) => JSON.parse(formatReceipt(await proveEvent(platform, id)));
  const old = await receiptOf('one');
  await seal(new LogSigner({ log: second, former: first }), 'two');
  expect(await problems(first)).toEqual([]);
  expect(verifyReceipt(await receiptOf('two'), first).signedBy).toEqual([ORIGIN]);
  expect(verifyReceipt(await receiptOf('two'), second).signedBy).toEqual([ORIGIN]);

  await seal(new LogSigner({ log: second }), 'three');
  expect(await problems(second, first)).toEqual([]);
  expect(verifyReceipt(old, [second, first])).toMatchObject({ index: 0 });
  const out = join(directory, 'export');
  await exportLogs(platform, [second, first], out, {});
  await expect(verifyExport(out, [second, first])).resolves.toMatchObject({ violations: [] });

  const unknown = expect.stringContaining('no known key has signed it');
  expect(await problems(second)).toContainEqual(unknown);
  expect(await problems(first)).toContainEqual(unknown);
  expect(() => verifyReceipt(old, second)).toThrow(/no known key has signed it/);
});

describe('a key that another program holds', () => {
  /** Signs as told by a file with the seed; ends after so many lines, or answers with something else. */
  async function program(behaviour: 'signs' | 'ends' | 'lies'): Promise<ExternalSigner> {
    const file = join(directory, `${behaviour}.js`);
    await writeFile(
      file,
      `const { createPrivateKey, sign } = require('node:crypto');
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from('${first.seed.toString('hex')}', 'hex')]);
const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
let lines = 0;
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const message = Buffer.from(line, 'base64');
  if (${behaviour === 'ends'} && ++lines > 2) process.exit(3);
  console.log((${behaviour === 'lies'} ? Buffer.alloc(64) : sign(null, message, key)).toString('base64'));
});`,
    );
    const signer = new ExternalSigner([process.execPath, file], first);
    cleanUp.add(async () => signer.close());
    return signer;
  }

  test('seals as one that is in a file', async () => {
    const { external } = await program('signs');
    await seal(new LogSigner({ log: external }), 'one', 'two');
    expect(await problems(first)).toEqual([]);
  });

  test('is asked again after its program has ended, and nothing is sealed without it', async () => {
    const { external } = await program('ends');
    const signer = new LogSigner({ log: external });
    let failures = 0;
    for (let n = 0; n < 6; n += 1) {
      await seal(signer, `event-${n}`).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'DEPENDENCY_MISSING' });
        failures += 1;
      });
    }
    expect(failures).toBeGreaterThan(0);
    expect(await problems(first)).toEqual([]);
  });

  test('whose answer is no signature seals nothing', async () => {
    const { external } = await program('lies');
    await expect(seal(new LogSigner({ log: external }), 'one')).rejects.toThrow(
      /no signature of audit.publicKey/,
    );
    const { rows } = await platform.query('select from chronawflow.audit_checkpoint');
    expect(rows).toEqual([]);
    const absent = new ExternalSigner(['/none/signer'], first);
    await expect(seal(new LogSigner({ log: absent.external }))).rejects.toThrow(/ENOENT/);
  });
});
