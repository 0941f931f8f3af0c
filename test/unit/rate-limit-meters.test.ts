import fc from 'fast-check';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { FixedWindow } from '../../core/rate-limit/meter/fixed-window.pure';
import type { Meter } from '../../core/rate-limit/meter/meter';
import { SlidingWindow } from '../../core/rate-limit/meter/sliding-window.pure';
import { TokenBucket } from '../../core/rate-limit/meter/token-bucket.pure';

const WINDOW = 1_000;
const LIMIT = 10;
const START = 1e6;

interface Admitted {
  readonly at: number;
  readonly cost: number;
}

/** Gaps between requests, a few of them negative: a clock that steps back must not help anybody. */
const requests = fc.array(
  fc.record({
    gap: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 150 }) },
      { weight: 1, arbitrary: fc.integer({ min: -3_000, max: 3_000 }) },
    ),
    cost: fc.integer({ min: 1, max: LIMIT + 2 }),
  }),
  { maxLength: 300 },
);

type Requests = readonly { readonly gap: number; readonly cost: number }[];

/** Runs the requests; the recorded time is the real one, which never goes back, as the meter has to behave. */
function run(meter: Meter, stream: Requests): Admitted[] {
  const admitted: Admitted[] = [];
  let shown = START;
  let real = Number.NEGATIVE_INFINITY;
  for (const { gap, cost } of stream) {
    shown += gap;
    real = Math.max(real, shown);
    if (meter.tryTake(shown, cost, 1)) admitted.push({ at: real, cost });
  }
  return admitted;
}

const within = (admitted: readonly Admitted[], from: number, to: number) =>
  admitted.reduce((sum, { at, cost }) => (at >= from && at < to ? sum + cost : sum), 0);

describe('a fixed window', () => {
  test('agrees with a model that starts a window at the first request after the last one (1)', () => {
    fc.assert(
      fc.property(requests, (stream) => {
        const meter = new FixedWindow(LIMIT, WINDOW);
        let begin = Number.NEGATIVE_INFINITY;
        let used = 0;
        let shown = START;
        let real = Number.NEGATIVE_INFINITY;
        for (const { gap, cost } of stream) {
          shown += gap;
          real = Math.max(real, shown);
          if (real >= begin + WINDOW) {
            begin = real;
            used = 0;
          }
          const fits = used + cost <= LIMIT;
          if (fits) used += cost;
          expect(meter.tryTake(shown, cost, 1)).toBe(fits);
          expect(meter.remaining(shown, 1)).toBe(LIMIT - used);
        }
      }),
    );
  });

  test('agrees with rate-limiter-flexible for requests of one unit', async () => {
    jest.useFakeTimers({ now: 1_000_000 });
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(400), { maxLength: 120 }), async (gaps) => {
          const theirs = new RateLimiterMemory({ points: LIMIT, duration: 1 });
          const ours = new FixedWindow(LIMIT, WINDOW);
          for (const gap of gaps) {
            jest.setSystemTime(Date.now() + gap);
            const admitted = await theirs.consume('k').then(
              () => true,
              () => false,
            );
            expect(ours.tryTake(Date.now(), 1, 1)).toBe(admitted);
          }
        }),
      );
    } finally {
      jest.useRealTimers();
    }
  });

  test('differs from it on purpose: what is refused costs nothing (2)', async () => {
    const theirs = new RateLimiterMemory({ points: 10, duration: 60 });
    await theirs.consume('k', 8);
    await expect(theirs.consume('k', 5)).rejects.toMatchObject({ consumedPoints: 13 });
    await expect(theirs.consume('k', 2)).rejects.toMatchObject({ consumedPoints: 15 });
    const ours = new FixedWindow(10, 60_000);
    expect([8, 5, 2].map((cost) => ours.tryTake(0, cost, 1))).toEqual([true, false, true]);
  });
});

describe('a sliding window', () => {
  test('never admits more than its limit in any interval of its length (1)', () => {
    fc.assert(
      fc.property(requests, (stream) => {
        const admitted = run(new SlidingWindow(LIMIT, WINDOW), stream);
        for (const { at } of admitted) expect(within(admitted, at, at + WINDOW)).toBeLessThanOrEqual(LIMIT);
      }),
    );
  });

  test('admits at least 96 % of its limit under steady load', () => {
    const meter = new SlidingWindow(320, WINDOW);
    let admitted = 0;
    for (let now = 0; now < 100 * WINDOW; now += 1) if (meter.tryTake(now, 1, 1)) admitted += 1;
    expect(admitted / 100 / 320).toBeGreaterThan(0.96);
  });
});

test('a token bucket never admits more than capacity and refill in any interval (1)', () => {
  const perMs = 0.01;
  fc.assert(
    fc.property(requests, (stream) => {
      const admitted = run(new TokenBucket(LIMIT, perMs), stream);
      for (const first of admitted) {
        for (const last of admitted) {
          if (last.at < first.at) continue;
          const allowed = LIMIT + (last.at - first.at) * perMs;
          expect(within(admitted, first.at, last.at + 1)).toBeLessThanOrEqual(allowed + 1e-6);
        }
      }
    }),
    { numRuns: 50 },
  );
});

describe.each([
  ['fixed window', () => new FixedWindow(LIMIT, WINDOW)],
  ['sliding window', () => new SlidingWindow(LIMIT, WINDOW)],
  ['token bucket', () => new TokenBucket(LIMIT, 0.01)],
] as const)('%s', (_name, make) => {
  test('who waits as long as he is told is admitted, and a little earlier is not', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: LIMIT }), (stream, cost) => {
        const build = () => {
          const meter = make();
          run(meter, stream);
          return meter;
        };
        const now = stream.reduce(
          (state, { gap }) => {
            const shown = state.shown + gap;
            return { shown, real: Math.max(state.real, shown) };
          },
          { shown: START, real: START },
        ).real;
        const wait = build().retryAfter(now, cost, 1);
        expect(build().tryTake(now + wait + 1e-6, cost, 1)).toBe(true);
        if (wait > 1e-3) expect(build().tryTake(now + wait * 0.99, cost, 1)).toBe(false);
      }),
    );
  });

  test('a cost above the limit never fits and says so', () => {
    expect(make().retryAfter(0, LIMIT + 1, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(make().tryTake(0, LIMIT + 1, 1)).toBe(false);
  });

  test('is empty again after the reset it announced', () => {
    fc.assert(
      fc.property(requests, (stream) => {
        const meter = make();
        run(meter, stream);
        const now = 1e8;
        meter.tryTake(now, 3, 1);
        const reset = meter.resetAfter(now);
        expect(reset).toBeGreaterThan(0);
        expect(meter.remaining(now + reset + 1e-6, 1)).toBeCloseTo(LIMIT, 6);
      }),
    );
  });
});
