import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exportLogs, formatReceipt, proveEvent, verifyReceipt } from '../../core/audit';
import { ExportedLog } from '../../core/audit/log';
import { TILE_WIDTH, tilesOfLevel } from '../../core/audit/merkle';
import { sealBatch } from '../../core/audit/seal';
import type { Bench } from '../support/run-benchmark';
import { median } from '../support/statistics.pure';
import { type CommandRun, runCommand } from './command-run';
import { fill } from './fill';
import type { AuditScene } from './scene';

export interface VerifyRates {
  readonly entries: number;
  /** SHA-256 of each entry, in memory: nothing else. */
  readonly sha256PerSecond: number;
  readonly database: Verified;
  readonly export: Verified;
}

export interface Verified {
  readonly perSecond: number;
  readonly rssMb: number;
}

export interface ProofCosts {
  readonly bytes: number;
  readonly makeMs: number;
  readonly verifyMs: number;
}

const DATABASE = 'verify';

/** The command as a person runs it, as a process of its own, with its start. */
export async function measureVerify(bench: Bench, scene: AuditScene): Promise<VerifyRates> {
  const pool = await scene.database(DATABASE);
  const entries = bench.quick ? 20_000 : 1_000_000;
  await bench.progress.during(`record and seal ${entries.toLocaleString('en')} events`, async () => {
    await fill(pool, entries);
    while ((await sealBatch(pool, scene.signer)).events > 0);
  });
  const evidence = join(scene.directory, 'evidence');
  await bench.progress.during('export them', () => exportLogs(pool, scene.key, evidence));
  const config = await scene.configFor(DATABASE);
  const rate = ({ ms, rssMb }: CommandRun): Verified => ({ perSecond: entries / (ms / 1_000), rssMb });
  const inDatabase = await bench.progress.during('verify in the database', () =>
    runCommand(bench, config, ['audit', 'verify', '--json']),
  );
  const inDirectory = await bench.progress.during('verify the export', () =>
    runCommand(bench, config, ['audit', 'verify', '--directory', evidence, '--json']),
  );
  const sha256PerSecond = await bench.progress.during('hash the same bytes', () => hashAll(evidence, scene));
  await pool.end();
  return { entries, sha256PerSecond, database: rate(inDatabase), export: rate(inDirectory) };
}

/** The time of the hashes alone: reading is not in it. */
async function hashAll(evidence: string, scene: AuditScene): Promise<number> {
  let entries = 0;
  let ms = 0;
  for (const name of await readdir(join(evidence, 'logs'))) {
    const log = await ExportedLog.open(join(evidence, 'logs', name));
    for (const { index, width } of tilesOfLevel(0, log.size)) {
      const { entries: bundle } = await log.bundle(index, width);
      const began = performance.now();
      for (const entry of bundle) createHash('sha256').update(entry).digest();
      ms += performance.now() - began;
      entries += width;
    }
  }
  if (entries < TILE_WIDTH) throw new RangeError(`there are ${entries} entries below ${scene.key.name}`);
  return entries / (ms / 1_000);
}

export async function measureProofs(bench: Bench, scene: AuditScene): Promise<ProofCosts> {
  const pool = scene.postgres.connect(DATABASE, undefined, 2);
  const made: number[] = [];
  const verified: number[] = [];
  let bytes = 0;
  await bench.progress.during('receipts', async () => {
    for (let i = 0; i < 20; i += 1) {
      let began = performance.now();
      const text = formatReceipt(await proveEvent(pool, `fill/${i * 997}`));
      made.push(performance.now() - began);
      bytes = Math.max(bytes, text.length);
      began = performance.now();
      verifyReceipt(JSON.parse(text), scene.key);
      verified.push(performance.now() - began);
    }
  });
  await pool.end();
  return { bytes, makeMs: median(made), verifyMs: median(verified) };
}
