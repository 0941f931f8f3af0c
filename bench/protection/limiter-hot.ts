import { join } from 'node:path';
import { z } from 'zod';
import { runProgram } from '../../core/cluster';
import type { ConnectionSettings } from '../../database';
import type { Bench, Measured } from '../support/run-benchmark';
import { median } from '../support/statistics.pure';
import { table } from '../support/table';

const ROOT = join(__dirname, '..', '..');
const PROCESSES = 4;
const answer = z.object({ perSecond: z.number(), refused: z.number() });

/** One hot key, four processes: admitted a second by leases, and by rate-limiter-flexible's row in PostgreSQL. */
export async function measureHotKey(bench: Bench, connection: ConnectionSettings): Promise<Measured> {
  const sides = ['chronawflow', 'rate-limiter-flexible'] as const;
  const ms = bench.quick ? 1_500 : 6_000;
  const rates = { chronawflow: [] as number[], 'rate-limiter-flexible': [] as number[] };
  for (let round = 0; round < 3; round += 1) {
    for (const side of sides) {
      const perSecond = await bench.progress.during(`hot key, ${side}, round ${round + 1}`, () =>
        fourProcesses(bench, { side, connection, ms }),
      );
      rates[side].push(perSecond);
    }
  }
  const [ours, theirs] = sides.map((side) => median(rates[side]));
  return {
    text: table(
      'One hot key, four processes, admitted a second',
      ['side', 'a second'],
      sides.map((side) => [side, Math.round(median(rates[side])).toLocaleString('en')]),
    ),
    figures: {
      global_vs_rlf_postgres: (ours ?? Number.NaN) / (theirs ?? Number.NaN),
      global_per_second: ours ?? Number.NaN,
      rlf_postgres_per_second: theirs ?? Number.NaN,
    },
  };
}

async function fourProcesses(bench: Bench, order: object): Promise<number> {
  const program = join(__dirname, 'limiter-hot-process.ts');
  const runs = Array.from({ length: PROCESSES }, async () => {
    const { stdout } = await runProgram(
      process.execPath,
      ['-r', join(ROOT, 'scripts', 'register.cjs'), program, JSON.stringify(order)],
      { signal: bench.signal },
    );
    return answer.parse(JSON.parse(stdout)).perSecond;
  });
  return (await Promise.all(runs)).reduce((sum, one) => sum + one, 0);
}
