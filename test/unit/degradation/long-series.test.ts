import fc from 'fast-check';
import { decide, INITIAL_STATE } from '../../../core/degradation/decide.pure';
import { levelAt } from '../../../core/degradation/policy.pure';
import { type SeriesPoint, simulate } from '../../../core/degradation/series/simulate.pure';
import type { LevelState } from '../../../core/degradation/types';
import { BOOKS, policyWith } from '../../support/degradation-policy';

/** Samples in all; CI tries a hundred thousand of each property, `CHRONAWFLOW_SAMPLES=5000000` many more. */
const SAMPLES = Number(process.env.CHRONAWFLOW_SAMPLES ?? 100_000);
const TICKS = 600;
const INSTANCES = 5;
const SIGNALS = ['error-rate', 'latency'] as const;
const RUNS = Math.max(3, Math.round(SAMPLES / (TICKS * INSTANCES * SIGNALS.length)));

// A millisecond a sample is many times what one takes.
jest.setTimeout(60_000 + SAMPLES);

const policy = policyWith(BOOKS);
const T0 = Date.UTC(2026, 10, 26);
const SCALE = { 'error-rate': 0.5, latency: 1_500 } as const;

/** Mulberry32: small, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Times of trouble and of calm, of any length; samples are lost, instances lie and fall silent. */
function wild(seed: number): SeriesPoint[] {
  const next = random(seed);
  const points: SeriesPoint[] = [];
  let trouble = 0;
  for (let tick = 0; tick < TICKS; tick += 1) {
    if (next() < 0.03) trouble = next() < 0.6 ? 0 : next();
    for (const signal of SIGNALS)
      for (let instance = 0; instance < INSTANCES; instance += 1) {
        if (next() < 0.1) continue;
        const lies = instance === 0 && next() < 0.2;
        const value = lies ? next() * 10 : trouble * next() * SCALE[signal];
        points.push({ at: T0 + tick * policy.intervalMs, signal, instance: `i${instance}`, value });
      }
  }
  return points;
}

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });

test('no level is left sooner than a dwell after the last change, nor by more than one step', () => {
  fc.assert(
    fc.property(seed, (from) => {
      let changed = Number.NEGATIVE_INFINITY;
      for (const { at, transition } of simulate(policy, wild(from))) {
        if (transition === undefined) continue;
        if (transition.direction === 'recovery') {
          expect(transition.to).toBe(transition.from - 1);
          expect(at - changed).toBeGreaterThanOrEqual(policy.dwellMs);
        } else expect(transition.to).toBeGreaterThan(transition.from);
        changed = at;
      }
    }),
    { numRuns: RUNS },
  );
});

test('transitions are bounded: the budget back, and as many away as there are levels to fall through', () => {
  fc.assert(
    fc.property(seed, (from) => {
      const recoveries: number[] = [];
      let escalations = 0;
      for (const { at, transition } of simulate(policy, wild(from))) {
        if (transition?.direction === 'recovery') recoveries.push(at);
        if (transition?.direction === 'escalation') escalations += 1;
      }
      for (const at of recoveries)
        expect(
          recoveries.filter((other) => other > at - 3_600_000 && other <= at).length,
        ).toBeLessThanOrEqual(policy.recoveriesPerHour);
      expect(escalations).toBeLessThanOrEqual(recoveries.length + policy.levels.length - 1);
    }),
    { numRuns: RUNS },
  );
});

test('signals that only get worse never lower the level', () => {
  fc.assert(
    fc.property(seed, (from) => {
      const next = random(from);
      const values = Array.from({ length: INSTANCES }, () => 0);
      let state: LevelState = INITIAL_STATE;
      for (let tick = 0; tick < TICKS; tick += 1) {
        for (const [nth, value] of values.entries()) values[nth] = value + next() ** 8 * 0.05;
        const samples = values.map((value, nth) => ({
          signal: 'error-rate',
          instance: `i${nth}`,
          value,
          ageMs: next() * policy.staleAfterMs,
        }));
        const decided = decide(policy, state, samples, T0 + tick * policy.intervalMs).state;
        expect(decided.rank).toBeGreaterThanOrEqual(state.rank);
        state = decided;
      }
    }),
    { numRuns: RUNS },
  );
});

test('worse signals never lead to a milder level, from the same beginning', () => {
  fc.assert(
    fc.property(seed, fc.double({ min: 0, max: 2, noNaN: true }), (from, more) => {
      const milder = wild(from);
      const worse = milder.map((point) => ({ ...point, value: point.value * (1 + more) }));
      const [a] = simulate(policy, milder.slice(0, 20));
      const [b] = simulate(policy, worse.slice(0, 20));
      expect(b?.state.rank ?? 0).toBeGreaterThanOrEqual(a?.state.rank ?? 0);
    }),
    { numRuns: RUNS * 5 },
  );
});

test('what is core is shed at no level that is ever reached', () => {
  fc.assert(
    fc.property(seed, (from) => {
      for (const { state } of simulate(policy, wild(from))) {
        const { off, cacheOnly } = levelAt(policy, state.rank);
        for (const feature of policy.core) expect([...off, ...cacheOnly]).not.toContain(feature);
      }
    }),
    { numRuns: RUNS },
  );
});

test('the same series leads to the same levels, also when it is taken up in the middle', () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 1, max: TICKS - 1 }), (from, cut) => {
      const points = wild(from);
      const whole = [...simulate(policy, points)];
      expect([...simulate(policy, points)]).toEqual(whole);
      // A controller that another one took over from: its state went through JSON, as in a workflow's history.
      let state = whole[cut - 1]?.state ?? INITIAL_STATE;
      state = JSON.parse(JSON.stringify(state));
      const middle = whole[cut];
      const samples = freshAt(points, middle?.at ?? 0);
      expect(decide(policy, state, samples, middle?.at ?? 0).state).toEqual(middle?.state);
    }),
    { numRuns: RUNS },
  );
});

function freshAt(points: readonly SeriesPoint[], now: number) {
  return points
    .filter(({ at }) => at <= now && now - at <= policy.staleAfterMs)
    .map(({ at, ...point }) => ({ ...point, ageMs: now - at }));
}
