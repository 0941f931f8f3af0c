import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';

const execute = promisify(execFile);

const SIDES = [
  'chronawflow-count',
  'chronawflow-time',
  'cockatiel-count',
  'cockatiel-sampling',
  'opossum',
] as const;

/** Keys of opossum: each has two timers and several kB, which shows with fewer as well. */
const FEWER = 5_000;

/**
 * Bytes per key with windows that hold as many calls as they can. Each side in a process of its own, so that nothing
 * but its breakers is on the heap; the keys are part of it for all of them.
 */
export async function measureMemory(bench: Bench): Promise<Measured> {
  const keys = bench.quick ? 10_000 : 100_000;
  const bytes = new Map<string, number>();
  for (const side of SIDES) {
    const count = side.startsWith('chronawflow') ? keys : Math.min(keys, side === 'opossum' ? FEWER : 20_000);
    bytes.set(side, await bench.progress.during(`memory of ${side}`, () => bytesPerKey(bench, side, count)));
  }
  const ours = Math.max(
    bytes.get('chronawflow-count') ?? Number.NaN,
    bytes.get('chronawflow-time') ?? Number.NaN,
  );
  return {
    text: table(
      `Memory, ${keys.toLocaleString('en')} keys of Chronawflow`,
      ['side', 'bytes per key'],
      [...bytes].map(([side, value]) => [side, Math.round(value)]),
    ),
    figures: {
      breaker_bytes_per_key: ours,
      cockatiel_bytes_per_key: bytes.get('cockatiel-count') ?? Number.NaN,
      opossum_bytes_per_key: bytes.get('opossum') ?? Number.NaN,
    },
  };
}

async function bytesPerKey(bench: Bench, side: string, keys: number): Promise<number> {
  const { stdout } = await execute(
    process.execPath,
    [...process.execArgv, '--expose-gc', join(__dirname, 'memory-process.ts'), side, String(keys)],
    { signal: bench.signal },
  );
  return Number(stdout);
}
