/**
 * `npm run bench -- protection [--quick] [--json]`: what protecting a call costs, beside the libraries that people use
 * for it today. One section a file under bench/protection/; how the figures came out: docs/resilience/protection.md.
 */
import { measureBreaker } from './protection/breaker';
import { measureLimiter } from './protection/limiter';
import { measureGlobalLimiter } from './protection/limiter-global';
import { measureMemory } from './protection/memory';
import { measureRejection } from './protection/rejection';
import type { Goals } from './support/goals.pure';
import { type Bench, inSections, type Measured, runBenchmark } from './support/run-benchmark';

/** Each section measures its own figures; they run one after the other, because they share the machine. */
const SECTIONS: readonly ((bench: Bench) => Promise<Measured>)[] = [
  measureBreaker,
  measureMemory,
  measureRejection,
  measureLimiter,
  measureGlobalLimiter,
];

const GOALS: Goals = {
  breaker_vs_cockatiel: '<=1',
  breaker_bytes_per_key: '<=1024',
  reject_ns: '<=2000',
  limiter_vs_rlf: '>=1',
  global_vs_rlf_postgres: '>=50',
  global_over_pct: '<=5',
  global_use_pct: '>=95',
};

runBenchmark('protection', GOALS, (bench) => inSections(bench, SECTIONS));
