import fc from 'fast-check';
import { Gate, shareAt } from '../../../core/degradation/process/gate';
import { LevelView } from '../../../core/degradation/process/level-view';
import { Levels } from '../../../core/degradation/process/levels';
import type { PublishedLevel } from '../../../core/degradation/published-level';
import { BOOKS, policyWith } from '../../support/degradation-policy';

const policy = policyWith({ ...BOOKS, slowStart: '10s' });

class Clock {
  now = 1_000;
  readonly read = () => this.now;
}

const shareOf = (ask: () => boolean, times = 1_000) =>
  Array.from({ length: times }, ask).filter(Boolean).length / times;

describe('a level in a process', () => {
  test('switches features off, and leaves what is core and what nobody named', () => {
    const view = new LevelView(policy, new Clock().read);
    view.enter(2, undefined, true);
    expect(['exports', 'reports', 'search', 'sign-in', 'anything'].map((one) => view.allows(one))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    expect([view.level(), view.cacheOnly('dashboard'), view.timeoutScale()]).toEqual(['limited', true, 0.8]);
  });

  test('admits of each class its share, and everything that is core', () => {
    const view = new LevelView(policy, new Clock().read);
    view.enter(2, undefined, true);
    const admitted = (priority: 'high' | 'normal' | 'low') => () => view.admit({ priority }).admitted;
    expect(shareOf(admitted('high'))).toBe(1);
    expect(shareOf(admitted('normal'))).toBeCloseTo(0.5, 2);
    expect(shareOf(admitted('low'))).toBe(0);
    expect(shareOf(() => view.admit({ feature: 'sign-in', priority: 'low' }).admitted)).toBe(1);
    expect(view.admit({ feature: 'reports' })).toMatchObject({
      admitted: false,
      why: 'off',
      level: 'limited',
    });
    expect(view.admit({ priority: 'low' })).toMatchObject({ admitted: false, why: 'shed' });
  });

  test('lets what was shed in again little by little on the way back', () => {
    const clock = new Clock();
    const view = new LevelView(policy, clock.read);
    view.enter(2, undefined, true);
    view.enter(1, undefined, true);
    const shares = [0, 2_500, 5_000, 7_500, 10_000].map((after) => {
      clock.now = 1_000 + after;
      return shareOf(() => view.allows('reports'));
    });
    expect(shares[0]).toBeCloseTo(0.1, 1);
    expect(shares[2]).toBeCloseTo(0.55, 1);
    expect(shares[4]).toBe(1);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(view.allows('exports')).toBe(false);
  });

  test('is entered at once when it gets worse, also in the middle of a slow start', () => {
    const clock = new Clock();
    const view = new LevelView(policy, clock.read);
    view.enter(2, undefined, true);
    view.enter(0, undefined, true);
    clock.now += 9_000;
    view.enter(2, undefined, true);
    expect(shareOf(() => view.allows('reports'))).toBe(0);
  });

  test('refuses writes while they are refused, those of core as well, and reads nothing less', () => {
    const view = new LevelView(policy, new Clock().read);
    view.enter(0, { by: 'ada', reason: 'failover' }, true);
    expect(view.admit({ feature: 'post-entry', writes: true })).toMatchObject({ why: 'read-only' });
    expect(view.admit({ feature: 'post-entry' })).toEqual({ admitted: true });
    view.enter(0, undefined, true);
    expect(view.admit({ feature: 'post-entry', writes: true })).toEqual({ admitted: true });
  });

  test('never sheds what is core, also of a policy that nobody has checked', () => {
    const unchecked = {
      ...policy,
      levels: policy.levels.map((level) => ({ ...level, off: ['sign-in', 'exports'] })),
    };
    const told: string[] = [];
    const view = new LevelView(unchecked, new Clock().read, (feature, level) =>
      told.push(`${feature} ${level}`),
    );
    view.enter(1, undefined, true);
    expect([view.allows('sign-in'), view.allows('exports')]).toEqual([true, false]);
    expect(told).toEqual(['sign-in reduced']);
  });

  test('core is let in whatever the levels were before, and whatever the class', () => {
    const ranks = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 });
    fc.assert(
      fc.property(
        ranks,
        fc.constantFrom(...policy.core),
        fc.constantFrom('high', 'normal', 'low'),
        (all, feature, priority) => {
          const clock = new Clock();
          const view = new LevelView(policy, clock.read);
          for (const rank of all) {
            clock.now += 3_000;
            view.enter(rank, undefined, true);
            expect(view.admit({ feature, priority })).toEqual({ admitted: true });
            expect(view.allows(feature)).toBe(true);
          }
        },
      ),
    );
  });
});

test('a gate admits its share, evenly, whatever the share is', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (share) => {
      const gate = new Gate({ from: share, to: share, since: 0, until: 0 }, () => 1);
      let admitted = 0;
      for (let asked = 1; asked <= 500; asked += 1) {
        if (gate.admits()) admitted += 1;
        expect(Math.abs(admitted - asked * share)).toBeLessThanOrEqual(1 + 1e-6);
      }
    }),
    { numRuns: 30 },
  );
  expect(shareAt({ from: 0.2, to: 1, since: 0, until: 10 }, 5)).toBeCloseTo(0.6);
});

describe('levels of several scopes', () => {
  const published = (scope: string, version: number, rank: number): PublishedLevel => ({
    ...{ scope, version, rank, level: '', reason: '', since: '', silentMs: 0 },
    override: undefined,
    readOnly: undefined,
  });

  test('a tier is at the harder one of its own level and the platform’s', () => {
    const levels = new Levels(policy, ['gold'], new Clock().read, () => undefined);
    levels.follow([published('platform', 1, 1), published('tier/gold', 1, 3)]);
    expect([levels.platform.level(), levels.of('tier/gold')?.level()]).toEqual(['reduced', 'core-only']);
    levels.follow([published('platform', 2, 2), published('tier/gold', 2, 0)]);
    expect([levels.platform.level(), levels.of('tier/gold')?.level()]).toEqual(['limited', 'limited']);
  });

  test('old news changes nothing', () => {
    const levels = new Levels(policy, [], new Clock().read, () => undefined);
    expect(levels.follow([published('platform', 5, 2)])).toEqual(['platform']);
    expect(levels.follow([published('platform', 4, 0)])).toEqual([]);
    expect(levels.platform.level()).toBe('limited');
    expect(levels.versions).toEqual({ platform: 5 });
  });
});
