import fc from 'fast-check';
import type { GlobalRule } from '../../core/rate-limit/global/slots.pure';
import {
  mostInAlignedWindow,
  mostInAnyInterval,
  type Scenario,
  simulate,
  sum,
} from '../support/rate-limit-simulation';

const FIXED: GlobalRule = { kind: 'fixed-window', limit: 2_000, window: 2_000, global: { localShare: 0.25 } };
const SLIDING: GlobalRule = {
  kind: 'sliding-window',
  limit: 4_000,
  window: 4_000,
  global: { localShare: 0.25 },
};
const SHARE = 0.25;
/** Hundreds were run while the protocol was made; CI repeats a few with new seeds. */
const RUNS = Number(process.env.CHRONAWFLOW_SIMULATIONS ?? 20);

const calm = (rule: GlobalRule, load: readonly number[]): Scenario => ({
  seed: 1,
  rule,
  share: SHARE,
  durationMs: 20_000,
  load,
  clockRates: [1, 1.0002, 0.9998, 1.0001],
  delayMs: 5,
});

const DURATION = 24_000;
const interval = fc
  .tuple(fc.integer({ min: 500, max: 20_000 }), fc.integer({ min: 100, max: 12_000 }))
  .map(([from, length]) => [from, from + length] as const);

const scenarios = (rule: GlobalRule) =>
  fc.record({
    seed: fc.nat(),
    rule: fc.constant(rule),
    share: fc.constant(SHARE),
    durationMs: fc.constant(DURATION),
    // Up to twice the limit, however it is spread.
    load: fc.array(fc.double({ min: 0, max: 0.5 * (rule.limit / rule.window) * 2, noNaN: true }), {
      minLength: 4,
      maxLength: 4,
    }),
    clockRates: fc.array(fc.double({ min: 0.9997, max: 1.0003, noNaN: true }), {
      minLength: 4,
      maxLength: 4,
    }),
    delayMs: fc.constantFrom(1, 5, 40, 150, 400),
    lost: fc.array(interval, { maxLength: 2 }),
    cut: fc.array(
      fc.tuple(fc.nat(3), interval).map(([process, [from, to]]) => ({ process, from, to })),
      { maxLength: 3 },
    ),
    kills: fc.uniqueArray(fc.record({ process: fc.nat(3), at: fc.integer({ min: 100, max: DURATION }) }), {
      maxLength: 2,
      selector: ({ process }) => process,
    }),
  });

describe('four processes with one limit, simulated', () => {
  test('never admit more than 5 % over a fixed window, whatever is lost, cut off or killed', () => {
    fc.assert(
      fc.property(scenarios(FIXED), (scenario) => {
        expect(mostInAlignedWindow(simulate(scenario).admitted, FIXED)).toBeLessThanOrEqual(1.05);
      }),
      { numRuns: RUNS },
    );
  });

  test('never admit more than 5 % over a sliding window in any interval of its length', () => {
    fc.assert(
      fc.property(scenarios(SLIDING), (scenario) => {
        expect(mostInAnyInterval(simulate(scenario).admitted, SLIDING)).toBeLessThanOrEqual(1.05);
      }),
      { numRuns: RUNS },
    );
  });

  test('use at least 95 % of a fixed window when the load is spread 97/1/1/1', () => {
    const { admitted, leases } = simulate(
      calm(
        FIXED,
        [97, 1, 1, 1].map((part) => (part / 100) * 1.3),
      ),
    );
    expect(sum(admitted, 4_000, 20_000) / (8 * FIXED.limit)).toBeGreaterThanOrEqual(0.95);
    expect(leases / 20).toBeLessThanOrEqual(10);
  });

  test('use their slots of a sliding window fully: 95 % of a window of 20 s', () => {
    const rule: GlobalRule = { ...SLIDING, limit: 20_000, window: 20_000 };
    const { admitted, leases } = simulate({
      ...calm(
        rule,
        [97, 1, 1, 1].map((part) => (part / 100) * 1.3),
      ),
      durationMs: 80_000,
    });
    expect(sum(admitted, 40_000, 80_000) / (2 * rule.limit)).toBeGreaterThanOrEqual(0.93);
    expect(leases / 80).toBeLessThanOrEqual(10);
  });

  test('admit their shares, not nothing and not everything, while the database is lost', () => {
    const { admitted } = simulate({ ...calm(FIXED, [1, 1, 1, 1]), lost: [[6_000, 20_000]] });
    const rate = sum(admitted, 12_000, 20_000) / (4 * FIXED.limit);
    expect(rate).toBeGreaterThan(0.9);
    expect(rate).toBeLessThanOrEqual(1);
  });

  test('a process that never reached the database decides by its share from the first second', () => {
    const { admitted } = simulate({ ...calm(FIXED, [4, 0, 0, 0]), lost: [[0, 20_000]] });
    expect(sum(admitted, 2_000, 20_000) / (9 * FIXED.limit)).toBeCloseTo(SHARE, 1);
  });

  test('tokens of a killed process are spent in their window, and the next one is whole again', () => {
    const { admitted } = simulate({
      ...calm(FIXED, [1.3, 0.1, 0.1, 0.1]),
      kills: [{ process: 0, at: 7_100 }],
    });
    expect(mostInAlignedWindow(admitted, FIXED)).toBeLessThanOrEqual(1);
    expect(sum(admitted, 12_000, 20_000) / (4 * FIXED.limit)).toBeGreaterThanOrEqual(0.95);
  });

  test.each([-3_600_000, -700, 700, 3_600_000])(
    'go on when the database\u2019s clock is set by %d ms',
    (by) => {
      const { admitted } = simulate({ ...calm(FIXED, [1, 0.2, 0.2, 0.2]), clockSet: { at: 7_100, by } });
      const rate = sum(admitted, 12_000, 20_000) / (4 * FIXED.limit);
      expect(rate).toBeGreaterThan(0.9);
      expect(rate).toBeLessThanOrEqual(1.15);
    },
  );
});
