import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AdaptiveRateLimiter, type RuleInput } from '../../core/rate-limit';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';
import { alternate, type Side } from './alternate';

const LIMIT = 1e9;
const KEYS = 10_000;

/** What a decision in memory costs, beside rate-limiter-flexible, which has a fixed window only. */
export async function measureLimiter(bench: Bench): Promise<Measured> {
  const one = await decisions(bench, 1);
  const many = await decisions(bench, KEYS);
  const rates = (name: string) => [one, many].map((ns) => Math.round(1e6 / ns(name)).toLocaleString('en'));
  return {
    text: table(
      'Decisions in memory, thousands a second',
      ['side', '1 key', '10,000 keys'],
      [FIXED, SLIDING, BUCKET, THEIRS].map((name) => [name, ...rates(name)]),
    ),
    figures: {
      limiter_vs_rlf: many(THEIRS) / many(FIXED),
      limiter_vs_rlf_1_key: one(THEIRS) / one(FIXED),
      limiter_ns: many(FIXED),
      rlf_ns: many(THEIRS),
    },
  };
}

const FIXED = 'Chronawflow, fixed window';
const SLIDING = 'Chronawflow, sliding window';
const BUCKET = 'Chronawflow, token bucket';
const THEIRS = 'rate-limiter-flexible, fixed window';

async function decisions(bench: Bench, keys: number): Promise<(name: string) => number> {
  const names = Array.from({ length: keys }, (_, n) => `tenant-${n}`);
  const theirs = new RateLimiterMemory({ points: LIMIT, duration: 600 });
  const sides = [
    ours(FIXED, names, { kind: 'fixed-window', limit: LIMIT, window: '10m' }),
    ours(SLIDING, names, { kind: 'sliding-window', limit: LIMIT, window: '10m' }),
    ours(BUCKET, names, { kind: 'token-bucket', capacity: LIMIT, refillPerSecond: LIMIT }),
    inTurn(THEIRS, names, (name) => theirs.consume(name)),
  ];
  const work = bench.quick ? { rounds: 3, calls: 100_000 } : { rounds: 7, calls: 1_000_000 };
  return bench.progress.during(`limiters in memory, ${keys} keys`, () => alternate(sides, work));
}

function ours(name: string, tenants: readonly string[], rule: RuleInput): Side {
  const limiter = new AdaptiveRateLimiter({ rule });
  return inTurn(name, tenants, (tenant) => limiter.checkRateLimit(tenant));
}

function inTurn(name: string, tenants: readonly string[], call: (tenant: string) => Promise<unknown>): Side {
  let next = 0;
  return {
    name,
    call: () => {
      next = next + 1 < tenants.length ? next + 1 : 0;
      return call(tenants[next] ?? '');
    },
  };
}
