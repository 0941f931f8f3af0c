import fc from 'fast-check';
import { decide, INITIAL_STATE } from '../../../core/degradation/decide.pure';
import { override, release } from '../../../core/degradation/override.pure';
import { endReadOnly, setReadOnly } from '../../../core/degradation/read-only.pure';
import { readingsOf, trimmedMean } from '../../../core/degradation/readings.pure';
import type { LevelState, Sample, Transition } from '../../../core/degradation/types';
import { BOOKS, policyWith } from '../../support/degradation-policy';

const policy = policyWith(BOOKS);
const T0 = Date.UTC(2026, 10, 26);
const errorRate = (value: number, ageMs = 0, instance = 'a'): Sample => ({
  signal: 'error-rate',
  instance,
  value,
  ageMs,
});

/** Decides once a second with the same samples and tells what changed. */
function run(state: LevelState, samples: readonly Sample[], from: number, seconds: number) {
  const transitions: Transition[] = [];
  let now = from;
  for (let second = 0; second < seconds; second += 1) {
    now += 1_000;
    const decision = decide(policy, state, samples, now);
    state = decision.state;
    if (decision.transition !== undefined) transitions.push(decision.transition);
  }
  return { state, transitions, now };
}

describe('the level', () => {
  test('goes straight to the hardest level that a signal asks for, and says why', () => {
    const { transition } = decide(policy, INITIAL_STATE, [errorRate(0.2)], T0);
    expect(transition).toEqual({
      version: 1,
      from: 0,
      to: 2,
      direction: 'escalation',
      by: 'controller',
      reason: 'error-rate is 0.2, at or above 0.15',
    });
  });

  test('comes back one level at a time, each after a dwell', () => {
    const bad = run(INITIAL_STATE, [errorRate(0.5)], T0, 1);
    const good = run(bad.state, [errorRate(0)], bad.now, 70);
    expect(good.transitions.map(({ from, to }) => [from, to])).toEqual([
      [3, 2],
      [2, 1],
      [1, 0],
    ]);
    expect(good.state.recoveries.map((at, nth, all) => at - (all[nth - 1] ?? at))).toEqual([
      0, 21_000, 21_000,
    ]);
  });

  test('stays between the two thresholds, however long', () => {
    const bad = run(INITIAL_STATE, [errorRate(0.06)], T0, 1);
    expect(run(bad.state, [errorRate(0.03)], bad.now, 500).transitions).toEqual([]);
  });

  test.each([
    ['is missing', []],
    ['is stale', [errorRate(0, 3_001)]],
    ['comes from the future', [errorRate(0, -60_000)]],
    ['is no number', [errorRate(Number.NaN)]],
  ])('is held while its signal %s, though others are well', (_, samples) => {
    const bad = run(INITIAL_STATE, [errorRate(0.5)], T0, 1);
    const others: Sample = { signal: 'latency', instance: 'a', value: 1, ageMs: 0 };
    expect(run(bad.state, [...samples, others], bad.now, 200).transitions).toEqual([]);
  });

  test('is not raised by a stale signal', () => {
    expect(run(INITIAL_STATE, [errorRate(1, 3_001)], T0, 10).transitions).toEqual([]);
  });

  test('is not held by a signal that was never heard', () => {
    const bad = run(INITIAL_STATE, [errorRate(0.06)], T0, 1);
    expect(bad.state.seen).toEqual(['error-rate']);
    expect(run(bad.state, [errorRate(0)], bad.now, 25).transitions).toHaveLength(1);
  });

  test('is not moved by one lying instance of ten', () => {
    const honest = Array.from({ length: 9 }, (_, at) => errorRate(0.001, 0, `honest-${at}`));
    expect(run(INITIAL_STATE, [...honest, errorRate(1, 0, 'liar')], T0, 30).transitions).toEqual([]);
    const failing = Array.from({ length: 9 }, (_, at) => errorRate(0.4, 0, `honest-${at}`));
    expect(run(INITIAL_STATE, [...failing, errorRate(0, 0, 'liar')], T0, 1).state.rank).toBe(3);
  });

  test('goes by watched time: a clock that jumps ahead shortens no dwell, one that jumps back lengthens none', () => {
    const bad = run(INITIAL_STATE, [errorRate(0.06)], T0, 1);
    const calm = run(bad.state, [errorRate(0)], bad.now, 5);
    const ahead = run(calm.state, [errorRate(0)], calm.now + 3_600_000, 5);
    expect(ahead.transitions).toEqual([]);
    const back = run(ahead.state, [errorRate(0)], T0 - 7_200_000, 12);
    expect(back.transitions).toMatchObject([{ from: 1, to: 0 }]);
  });

  test('spends a budget of steps back, and never refuses to escalate for it', () => {
    let at = { state: INITIAL_STATE, now: T0 };
    const seen: Transition[] = [];
    for (let round = 0; round < 12; round += 1) {
      for (const value of [0.06, 0]) {
        const next = run(at.state, [errorRate(value)], at.now, 25);
        seen.push(...next.transitions);
        at = next;
      }
    }
    expect(seen.filter(({ direction }) => direction === 'recovery')).toHaveLength(6);
    expect(at.state.rank).toBe(1);
    expect(run(at.state, [errorRate(0.5)], at.now, 1).state.rank).toBe(3);
    // An hour after the first one there is room again.
    expect(run(at.state, [errorRate(0)], at.now, 3_600).state.rank).toBe(0);
  });
});

describe('a level that is set by hand', () => {
  const until = T0 + 60_000;
  const set = (rank: number, state = INITIAL_STATE) =>
    override(state, { rank, by: 'ada', reason: 'the signal lies', until }).state;

  test('holds whatever signals say, until its end', () => {
    const held = run(set(0), [errorRate(0.5)], T0, 59);
    expect(held.transitions).toEqual([]);
    expect(run(held.state, [errorRate(0.5)], held.now, 1).transitions).toMatchObject([
      { direction: 'escalation', to: 3 },
    ]);
  });

  test('is left step by step when its time is over', () => {
    const held = run(set(3), [], T0, 60);
    expect(held.transitions).toMatchObject([{ direction: 'release', by: 'ada', reason: 'its time is over' }]);
    const back = run(held.state, [errorRate(0)], held.now, 64);
    expect(back.transitions.map(({ to }) => to)).toEqual([2, 1, 0]);
  });

  test('is given back by hand', () => {
    const { state, transition } = release(set(2), 'bob', 'the signal is mended');
    expect(transition).toMatchObject({ direction: 'release', by: 'bob', from: 2, to: 2, version: 2 });
    expect(state.override).toBeUndefined();
  });
});

describe('read only', () => {
  const refuses: Sample = { signal: 'read-only', instance: 'control', value: 1, ageMs: 0 };
  const takes: Sample = { ...refuses, value: 0 };

  test('follows a database that refuses writes, and changes no level', () => {
    const begun = run(INITIAL_STATE, [refuses, errorRate(0)], T0, 3);
    expect(begun.transitions).toMatchObject([{ direction: 'read-only', from: 0, to: 0, by: 'database' }]);
    expect(run(begun.state, [errorRate(0)], begun.now, 60).transitions).toEqual([]);
    const ended = run(begun.state, [takes, errorRate(0)], begun.now, 6);
    expect(ended.transitions).toMatchObject([{ direction: 'writable', by: 'database' }]);
    expect(ended.state.readOnly).toBeUndefined();
  });

  test('that a person set ends with its time, not with what the database does', () => {
    const set = setReadOnly(INITIAL_STATE, { by: 'ada', reason: 'migration', until: T0 + 30_000 });
    const held = run(set.state, [takes], T0, 29);
    expect(held.transitions).toEqual([]);
    expect(run(held.state, [takes], held.now, 1).transitions).toMatchObject([
      { direction: 'writable', by: 'ada' },
    ]);
    expect(endReadOnly(set.state, 'ada', 'done').state.readOnly).toBeUndefined();
  });
});

describe('what the instances see together', () => {
  const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

  test('is between the least and the greatest, and is no better when one instance is worse', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (of, nth, by) => {
        const mean = trimmedMean(of, 0.1);
        expect(mean).toBeGreaterThanOrEqual(Math.min(...of));
        expect(mean).toBeLessThanOrEqual(Math.max(...of) + 1e-12);
        const worse = of.with(nth % of.length, (of[nth % of.length] ?? 0) + by);
        expect(trimmedMean(worse, 0.1)).toBeGreaterThanOrEqual(mean - 1e-12);
      }),
    );
  });

  test('is moved by no single one of three or more beyond what the others saw', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 30 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (others, lie) => {
          const mean = trimmedMean([...others, lie], 0.1);
          expect(mean).toBeGreaterThanOrEqual(Math.min(...others) - 1e-12);
          expect(mean).toBeLessThanOrEqual(Math.max(...others) + 1e-12);
        },
      ),
    );
  });

  test('counts an instance that reports twice once', () => {
    const readings = readingsOf(policy, [
      errorRate(1),
      errorRate(1),
      errorRate(0, 0, 'b'),
      errorRate(0, 0, 'c'),
    ]);
    expect(readings['error-rate']).toEqual({ value: 0, instances: 3 });
  });
});
