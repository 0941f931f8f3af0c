import { CircuitBreaker } from '../../core/protection';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';
import { alternate } from './alternate';
import { bareCall, cockatielSides, opossumSide } from './peers';

const DEFAULT = 'Chronawflow, last 100 calls';
const BY_TIME = 'Chronawflow, last 60 s';

/** What a protected call that succeeds costs, in ns. */
export async function measureBreaker(bench: Bench): Promise<Measured> {
  const cockatiel = cockatielSides();
  const opossum = opossumSide();
  bench.cleanUp.add(async () => opossum.close());
  // The defaults have all three rules on.
  const byCount = new CircuitBreaker();
  const byTime = new CircuitBreaker({ window: { duration: '60s' } });
  const ours = [
    { name: DEFAULT, call: () => byCount.execute(bareCall) },
    { name: BY_TIME, call: () => byTime.execute(bareCall) },
  ];
  const sides = [{ name: 'bare call', call: bareCall }, ...ours, ...cockatiel, opossum];
  const work = bench.quick ? { rounds: 3, calls: 50_000 } : { rounds: 9, calls: 300_000 };
  const ns = await bench.progress.during('breakers, success path', () => alternate(sides, work));
  const fastestOfCockatiel = Math.min(...cockatiel.map(({ name }) => ns(name)));
  return {
    text: table(
      'A call that succeeds; Chronawflow with its three rules, the others with one',
      ['side', 'ns per call'],
      sides.map(({ name }) => [name, Math.round(ns(name))]),
    ),
    figures: {
      breaker_vs_cockatiel: ns(DEFAULT) / fastestOfCockatiel,
      breaker_by_time_vs_cockatiel: ns(BY_TIME) / fastestOfCockatiel,
      breaker_ns: ns(DEFAULT),
      bare_ns: ns('bare call'),
      cockatiel_ns: fastestOfCockatiel,
      opossum_ns: ns('opossum'),
    },
  };
}
