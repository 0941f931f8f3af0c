/**
 * `npm run bench -- degradation [--quick] [--json]`: what a decision and a question cost, how fast a level is everywhere, and
 * what it is good for. One section a file under bench/degradation/; how the figures came out: docs/resilience/figures.md.
 */
import { measureBlastRadius } from './degradation/blast-radius';
import { measureDecision } from './degradation/decision';
import { measureFault } from './degradation/fault';
import { measurePropagation } from './degradation/propagation';
import type { Goals } from './support/goals.pure';
import { type Bench, inSections, type Measured, runBenchmark } from './support/run-benchmark';
import { table } from './support/table';

/** Each section measures its own figures; they run one after the other, because they share the machine. */
const SECTIONS: readonly ((bench: Bench) => Promise<Measured>)[] = [
  measureDecision,
  blastRadius,
  measurePropagation,
  measureFault,
];

const GOALS: Goals = {
  allows_ns: '<=200',
  detect_to_applied_intervals: '<=2',
  propagation_p99_ms: '<=1000',
  core_served_pct: '>=99.4',
  core_served_without_pct: '<=90',
  blast_radius_ms: '<=100',
};

async function blastRadius(): Promise<Measured> {
  const blast_radius_ms = measureBlastRadius();
  const rows = [['5,000 parts, 50,000 needs', blast_radius_ms.toFixed(1)]];
  return { figures: { blast_radius_ms }, text: table('Blast radius', ['', 'ms'], rows) };
}

runBenchmark('degradation', GOALS, (bench) => inSections(bench, SECTIONS));
