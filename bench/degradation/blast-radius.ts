import { FailureDomainManager } from '../../core/failure-domains';
import { median } from '../support/statistics.pure';

const PARTS = 5_000;
const NEEDS_EACH = 10;
const ROUNDS = 9;

/** Milliseconds for the blast radius of the part that nearly everything needs, in a graph of 5,000 parts and 50,000 needs. */
export function measureBlastRadius(): number {
  const nodes = Object.fromEntries(
    Array.from({ length: PARTS }, (_, n) => [
      `part-${n}`,
      {
        kind: 'service' as const,
        needs:
          n < NEEDS_EACH ? [] : Array.from({ length: NEEDS_EACH }, (_, k) => `part-${(n * 7 + k * 13) % n}`),
      },
    ]),
  );
  const manager = new FailureDomainManager({ nodes, discover: false });
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = performance.now();
    manager.calculateBlastRadius('part-0');
    return performance.now() - before;
  });
  return median(rounds);
}
