import fc from 'fast-check';
import { decide, INITIAL_STATE } from '../../../core/degradation/decide.pure';
import { Gauges } from '../../../core/degradation/process/gauges';
import { RecentSamples } from '../../../core/degradation/process/recent-samples';
import { readingsOf } from '../../../core/degradation/readings.pure';
import { simulate } from '../../../core/degradation/series/simulate.pure';
import type { Sample } from '../../../core/degradation/types';
import { sinceLastLook, worstReadings } from '../../../core/degradation/worst-readings.pure';
import { BOOKS, policyWith } from '../../support/degradation-policy';

const policy = policyWith(BOOKS);
const T0 = Date.UTC(2026, 10, 26);
const errorRate = (value: number, ageMs: number, instance = 'a'): Sample => ({
  signal: 'error-rate',
  instance,
  value,
  ageMs,
});

const sample = fc.record({
  signal: fc.constantFrom('error-rate', 'latency'),
  instance: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  value: fc.double({ min: 0, max: 1, noNaN: true }),
  ageMs: fc.integer({ min: 0, max: policy.staleAfterMs }),
});
/** Ages are of one grid, so that they meet; no instance has two samples of one age. */
const samples = fc.uniqueArray(sample, {
  minLength: 1,
  maxLength: 25,
  selector: ({ signal, instance, ageMs }) => `${signal}/${instance}/${ageMs}`,
});

describe('a look', () => {
  test('sees the worst that one who never looks away has seen', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 0, max: policy.staleAfterMs }), (all, sinceMs) => {
        const seen = worstReadings(policy, all, sinceMs)['error-rate']?.value;
        // By definition: whenever a sample came, the newest of each instance, and of one that had none yet its first.
        const errorRates = all.filter(({ signal }) => signal === 'error-rate');
        const moments = [0, ...errorRates.map(({ ageMs }) => ageMs).filter((ageMs) => ageMs <= sinceMs)];
        const byMoment = moments.flatMap((moment) => {
          const then = ['a', 'b', 'c', 'd', 'e'].flatMap((name) => {
            const own = errorRates.filter(({ instance }) => instance === name);
            const sorted = own.toSorted((a, b) => a.ageMs - b.ageMs);
            return sorted.find(({ ageMs }) => ageMs >= moment) ?? sorted.at(-1) ?? [];
          });
          const fresh = then.map((one) => ({ ...one, ageMs: 0 }));
          return readingsOf(policy, fresh)['error-rate']?.value ?? [];
        });
        expect(seen).toBe(byMoment.length === 0 ? undefined : Math.max(...byMoment));
      }),
    );
  });

  test('sees a spike of any length once it has been reported, and what is lower as worse where lower is worse', () => {
    const spike = [errorRate(0, 2_500), errorRate(0.4, 900), errorRate(0, 890)];
    expect(worstReadings(policy, spike, 1_000)['error-rate']?.value).toBe(0.4);
    expect(worstReadings(policy, spike, 880)['error-rate']?.value).toBe(0);
    const down = policyWith({
      levels: [{ name: 'reduced', when: { availability: { enter: 0.9, leave: 0.95 } } }],
    });
    const dip = [1, 0.5, 1].map((value, nth) => ({
      ...errorRate(value, 900 - nth * 10),
      signal: 'availability',
    }));
    expect(worstReadings(down, dip, 1_000).availability?.value).toBe(0.5);
  });

  test('is moved by no single instance of three or more, beyond what the others saw at any moment', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const of = all.filter(({ signal }) => signal === 'error-rate');
        const others = of.filter(({ instance }) => instance !== 'a').map(({ value }) => value);
        fc.pre(new Set(of.map(({ instance }) => instance)).size >= 3);
        const lying = of.map((one) => (one.instance === 'a' ? { ...one, value: one.value * 1e6 } : one));
        const { value = Number.NaN } = worstReadings(policy, lying, policy.staleAfterMs)['error-rate'] ?? {};
        expect(value).toBeLessThanOrEqual(Math.max(...others) + 1e-12);
      }),
    );
  });

  test('is no better when one sample is worse', () => {
    fc.assert(
      fc.property(samples, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (all, nth, by) => {
        const at = nth % all.length;
        const worse = all.map((one, index) => (index === at ? { ...one, value: one.value + by } : one));
        const [before, after] = [all, worse].map((of) => worstReadings(policy, of, 2_000));
        for (const [signal, reading] of Object.entries(before ?? {}))
          expect(after?.[signal]?.value).toBeGreaterThanOrEqual(reading.value - 1e-12);
      }),
    );
  });

  test('has every sample of many processes within its reach', () => {
    const many = Array.from({ length: 300 }, (_, nth) => [
      errorRate(0, 2_000 + nth, `i${nth}`),
      errorRate(0.5, 1_000 + nth, `i${nth}`),
      errorRate(0, nth, `i${nth}`),
    ]).flat();
    expect(worstReadings(policy, many, 2_000)['error-rate']?.value).toBeGreaterThan(0.45);
  });

  test('reaches an interval further back than the last one, whatever the clock did', () => {
    expect(sinceLastLook(policy, T0, T0 + 1_500)).toBe(2_500);
    expect(sinceLastLook(policy, undefined, T0)).toBe(1_000);
    expect(sinceLastLook(policy, T0, T0 - 60_000)).toBe(1_000);
  });
});

test('a spike between two decisions escalates as one that lasts, in the controller and in a replayed series', () => {
  const calm = decide(policy, INITIAL_STATE, [errorRate(0, 0)], T0);
  const spike = [errorRate(0, 1_000), errorRate(0.2, 700), errorRate(0, 400)];
  expect(decide(policy, calm.state, spike, T0 + 1_000).transition).toMatchObject({
    to: 2,
    reason: 'error-rate is 0.2, at or above 0.15',
  });
  const points = [0, 0, 0, 0.2, 0, 0, 0, 0].map((value, nth) => ({
    at: T0 + nth * 400,
    signal: 'error-rate',
    instance: 'a',
    value,
  }));
  expect([...simulate(policy, points)].map(({ state }) => state.rank)).toContain(2);
});

describe('a process', () => {
  test('reports what it saw until it is stale, each as old as it is', () => {
    let now = 0;
    const recent = new RecentSamples(1_000, () => now);
    recent.add([{ signal: 'error-rate', value: 0.2 }]);
    now = 600;
    recent.add([{ signal: 'error-rate', value: 0, ageMs: 100 }]);
    expect(recent.list()).toEqual([
      { signal: 'error-rate', value: 0.2, ageMs: 600 },
      { signal: 'error-rate', value: 0, ageMs: 100 },
    ]);
    now = 1_200;
    recent.add([]);
    expect(recent.list()).toEqual([{ signal: 'error-rate', value: 0, ageMs: 700 }]);
  });

  test('tells the worst that its gauges showed, by scope, and what the others show when one cannot be read', async () => {
    const shown = { depth: [1, 9, 2], free: [5, 1, 4] };
    const errors: unknown[] = [];
    let nth = -1;
    const gauges = new Gauges(
      [
        () => {
          nth += 1;
          return [
            { signal: 'depth', value: shown.depth[nth] ?? 0 },
            { signal: 'depth', value: nth, scope: 'tier/gold' },
            { signal: 'free', value: shown.free[nth] ?? 0 },
          ];
        },
        async () => {
          throw new Error('it is away');
        },
      ],
      (signal) => (signal === 'free' ? 'lower' : 'higher'),
      (error) => errors.push(error),
    );
    for (let look = 0; look < 3; look += 1) await gauges.look();
    expect(gauges.take()).toEqual([
      { signal: 'depth', value: 9 },
      { signal: 'depth', value: 2, scope: 'tier/gold' },
      { signal: 'free', value: 1 },
    ]);
    expect(gauges.take()).toEqual([]);
    expect(errors).toHaveLength(3);
  });
});
