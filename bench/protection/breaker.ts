import type { Bench, Measured } from '../support/run-benchmark';
import { alternate } from './alternate';
import { bareCall, cockatielSides, opossumSide } from './peers';
import { table } from './table';

/** What a protected call that succeeds costs, in ns. */
export async function measureBreaker(bench: Bench): Promise<Measured> {
  const cockatiel = cockatielSides();
  const opossum = opossumSide();
  bench.cleanUp.add(async () => opossum.close());
  const sides = [{ name: 'bare call', call: bareCall }, ...cockatiel, opossum];
  const work = bench.quick ? { rounds: 3, calls: 50_000 } : { rounds: 9, calls: 300_000 };
  const ns = await bench.progress.during('breakers, success path', () => alternate(sides, work));
  return {
    text: table(
      'A call that succeeds',
      ['side', 'ns per call'],
      sides.map(({ name }) => [name, Math.round(ns(name))]),
    ),
    figures: { bare_ns: ns('bare call'), opossum_ns: ns('opossum') },
  };
}
