import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import {
  EmptyDirectory,
  ExportedLog,
  exportLog,
  exportLogs,
  proveConsistency,
  proveInclusion,
  readLogs,
  StoredLog,
} from '../../core/audit/log';
import {
  formatVerifierKey,
  generateSigningKey,
  parseCheckpoint,
  parseNote,
  verifyNote,
} from '../../core/audit/note';
import { LogSigner, openPlatformLog, sealBatch, verifierOf } from '../../core/audit/seal';
import { verifyExport, verifyLog } from '../../core/audit/verify';
import { applyMigrations, inTransaction } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { onSmallDisk } from '../support/small-disk';

const ORIGIN = 'example.org/audit';
const keys = {
  log: generateSigningKey(ORIGIN, 'ed25519'),
  quantumSafe: generateSigningKey(ORIGIN, 'cosignature-ml-dsa-44'),
};
const signer = new LogSigner(keys);

let postgres: RealPostgres;
let platform: Pool;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chronawflow-export-'));
  postgres = await startPostgres();
  platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
  await inTransaction(platform, (tx) => openPlatformLog(tx, signer));
});
afterAll(async () => {
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Exports one log as it is now. @returns its directory */
async function exported(kind: 'tenant' | 'platform', name: string): Promise<string> {
  const target = join(directory, name);
  await inTransaction(
    platform,
    async (tx) => {
      const log = (await readLogs(tx)).find((one) => one.kind === kind);
      if (log === undefined) throw new Error(`there is no log of a ${kind}`);
      await exportLog(new StoredLog(tx, log), new EmptyDirectory(target), { below: '', at: 0 });
    },
    { isolation: 'repeatable read', readOnly: true },
  );
  return target;
}

async function sealTo(size: number): Promise<void> {
  const { rows } = await platform.query<{ size: string }>(
    `select coalesce((select size from chronawflow.audit_log where kind = 'tenant'), 0) as size`,
  );
  const from = Number(rows[0]?.size);
  await platform.query(
    `insert into chronawflow.audit_event (id, actor, action, tenant, outcome, details)
     select 'e' || n, 'ada', 'test', 'acme', 'ok', jsonb_build_object('n', n) from generate_series($1::int, $2::int) n`,
    [from, size - 1],
  );
  expect(await sealBatch(platform, signer, size)).toMatchObject({ events: size - from, logs: 1 });
}

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The verifier in Go, which shares no line with ours. */
function inGo(target: string, args: readonly string[], proofs: object = {}): Promise<Answer> {
  const program = process.env.CHRONAWFLOW_TLOG_VERIFIER;
  if (!program)
    throw new Error('CHRONAWFLOW_TLOG_VERIFIER is not set: eval "$(node scripts/bootstrap.mjs --print)"');
  return new Promise((resolve, reject) => {
    const child = execFile(program, [target, ...args], (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    // It may have found something wrong and ended before it reads them.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(JSON.stringify(proofs));
  });
}

/** What ours finds, from the directory and the public key alone. */
async function inOurs(target: string): Promise<string[]> {
  const log = await ExportedLog.open(target);
  const note = parseNote(log.note);
  verifyNote(note, [verifierOf(keys.log, log.origin)]);
  const violations = await verifyLog(log, [{ ...parseCheckpoint(note.text), by: 'its checkpoint' }]);
  return violations.map(({ problem }) => problem);
}

const base64 = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64'));

test('the platform log verifies in Go before it has an entry, with the quantum-safe signature', async () => {
  const target = await exported('platform', 'empty');
  const answer = await inGo(target, [formatVerifierKey(keys.log), formatVerifierKey(keys.quantumSafe)]);
  expect(answer.stderr).toBe('');
  expect(JSON.parse(answer.stdout)).toMatchObject({ origin: ORIGIN, size: 0, signatures: 2 });
  expect(await inOurs(target)).toEqual([]);
});

test.each([1, 255, 256, 257, 65_537])('a log of %i entries verifies in Go, with its proofs', async (size) => {
  await sealTo(size);
  const target = await exported('tenant', `size-${size}`);
  const log = await ExportedLog.open(target);
  const indices = [...new Set([0, Math.floor(size / 2), size - 1])];
  const sizes = [...new Set([1, Math.ceil(size / 3), size])];
  const proofs = {
    Inclusion: await Promise.all(
      indices.map(async (index) => ({ Index: index, Proof: base64(await proveInclusion(log, index)) })),
    ),
    Consistency: await Promise.all(
      sizes.map(async (from) => ({ Size: from, Proof: base64(await proveConsistency(log, from)) })),
    ),
  };
  const answer = await inGo(target, [formatVerifierKey(verifierOf(keys.log, log.origin))], proofs);
  expect(answer.stderr).toBe('');
  expect(JSON.parse(answer.stdout)).toMatchObject({
    size,
    signatures: 1,
    proofs: indices.length + sizes.length,
  });
  expect(await inOurs(target)).toEqual([]);

  const platformTarget = await exported('platform', `platform-${size}`);
  expect((await inGo(platformTarget, [formatVerifierKey(keys.log)])).stderr).toBe('');
  expect(await inOurs(platformTarget)).toEqual([]);
});

describe('every tampering is found, in Go and by us', () => {
  let copies = 0;
  let honest: string;
  let target: string;

  beforeAll(async () => {
    honest = join(directory, 'size-257');
  });
  beforeEach(async () => {
    target = join(directory, `tampered-${++copies}`);
    await cp(honest, target, { recursive: true });
  });

  async function flip(path: string, at: number): Promise<void> {
    const bytes = await readFile(join(target, path));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(join(target, path), bytes);
  }

  /** Rewrites a bundle of length-prefixed entries. */
  async function rewrite(path: string, change: (entries: Buffer[]) => void): Promise<void> {
    const bytes = await readFile(join(target, path));
    const entries: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 2 + bytes.readUInt16BE(at);
      entries.push(bytes.subarray(at, end));
      at = end;
    }
    change(entries);
    await writeFile(join(target, path), Buffer.concat(entries));
  }

  const bundle = 'tile/entries/000';
  const tamperings: readonly (readonly [string, () => Promise<void>, RegExp])[] = [
    ['an entry changed', () => rewrite(bundle, (all) => flipLast(all, 7)), /^entry 7 is not what/],
    ['two entries exchanged', () => rewrite(bundle, (all) => exchange(all, 3, 4)), /^entry 3 is not what/],
    ['an entry left out', () => rewrite(bundle, (all) => void all.splice(5, 1)), /has 255 of 256 entries/],
    [
      'an entry put in',
      () => rewrite(bundle, (all) => void all.splice(5, 0, ...all.slice(0, 1))),
      /has 257 of 256/,
    ],
    ['a bundle cut short', () => truncate(join(target, bundle), 100), /cut short/],
    ['a bundle missing', () => rm(join(target, bundle)), /missing/],
    ['the last, partial bundle missing', () => rm(join(target, 'tile/entries/001.p/1')), /missing/],
    ['a leaf hash changed', () => flip('tile/0/000', 32 * 9), /^entry 9 is not what/],
    ['a hash above the leaves changed', () => flip('tile/1/000.p/1', 0), /^entries 0 to 255 are not what/],
    ['a tile longer than it is', () => appendFile(join(target, 'tile/0/000'), 'x'), /longer|bytes/],
    [
      'the root in the checkpoint changed',
      () => edit('checkpoint', (text) => replaceLine(text, 2)),
      /is bad/,
    ],
    [
      'the size in the checkpoint changed',
      () => edit('checkpoint', (text) => text.replace('\n257\n', '\n256\n')),
      /is bad/,
    ],
    [
      'an honest checkpoint of another size',
      () => cp(join(directory, 'size-256', 'checkpoint'), join(target, 'checkpoint')),
      /000\.p|is missing|^$/,
    ],
    [
      'another log’s checkpoint',
      () => cp(join(directory, 'platform-257', 'checkpoint'), join(target, 'checkpoint')),
      /./,
    ],
    [
      'a bundle in place of another',
      () => rename(join(target, 'tile/entries/001.p/1'), join(target, bundle)),
      /of 256/,
    ],
  ];

  async function edit(path: string, change: (text: string) => string): Promise<void> {
    await writeFile(join(target, path), change(await readFile(join(target, path), 'utf8')));
  }

  test.each(tamperings)('%s', async (name, tamper, message) => {
    await tamper();
    const problems = await inOurs(target).catch((error: Error) => [error.message]);
    const key = formatVerifierKey(verifierOf(keys.log, (await ExportedLog.open(honest)).origin));
    const answer = await inGo(target, [key]);
    // An older checkpoint of the same log is no lie about what it signs: the witness is there against that.
    if (name === 'an honest checkpoint of another size') {
      expect(problems.join('\n')).toMatch(message);
      return;
    }
    expect(problems.join('\n')).toMatch(message);
    expect(answer.code).toBe(1);
    expect(answer.stderr).not.toBe('');
  });
});

function flipLast(entries: Buffer[], at: number): void {
  const entry = Buffer.from(entries[at] ?? Buffer.alloc(0));
  entry[entry.length - 1] = 0x20;
  entries[at] = entry;
}

function exchange(entries: Buffer[], a: number, b: number): void {
  const [first, second] = [entries[a], entries[b]];
  if (first === undefined || second === undefined) throw new Error('there are not so many entries');
  entries[a] = second;
  entries[b] = first;
}

function replaceLine(text: string, at: number): string {
  return text
    .split('\n')
    .map((line, i) => (i === at ? Buffer.alloc(32, 1).toString('base64') : line))
    .join('\n');
}

test('a disk that is full ends an export with an error, and what is there passes for nothing', async () => {
  await onSmallDisk('64k', async (small) => {
    const target = join(small, 'evidence');
    await expect(exportLogs(platform, keys.log, target)).rejects.toMatchObject({
      code: 'EXPORT_INCOMPLETE',
      message: expect.stringContaining('no space left'),
    });
    await expect(verifyExport(target, keys.log)).rejects.toMatchObject({ code: 'AUDIT_LOG_DAMAGED' });
  });
  const again = await exportLogs(platform, keys.log, join(directory, 'again'));
  expect((await verifyExport(again.directory, keys.log)).violations).toEqual([]);
});

test('a checkpoint that promises more than there is costs neither memory nor time', async () => {
  const target = join(directory, 'promises');
  await cp(join(directory, 'size-257'), target, { recursive: true });
  const huge = (await readFile(join(target, 'checkpoint'), 'utf8')).replace(
    '\n257\n',
    '\n9007199254740991\n',
  );
  await writeFile(join(target, 'checkpoint'), huge);
  const log = await ExportedLog.open(target);
  expect(log.minimumIndex).toBe(0);
  // Opened, it is not trusted: its signature is bad. Whoever reads it all the same comes to the end of what there is.
  const [first] = await verifyLog(log, []);
  expect(first?.problem).toMatch(/missing/);
});
