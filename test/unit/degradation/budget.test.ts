import fc from 'fast-check';
import { budgetFreeInMs, stepsBack } from '../../../core/degradation/way-back.pure';
import { BOOKS, policyWith } from '../../support/degradation-policy';

/** core/degradation/README.md, invariant 2, at the publication. */

const HOUR = 3_600_000;
const policy = policyWith(BOOKS);

test('in no hour are there more steps than the budget has, and who waits as told gets through', () => {
  const asked = fc.array(fc.tuple(fc.integer({ min: 0, max: HOUR / 2 }), fc.integer({ min: 1, max: 3 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(asked, fc.integer({ min: 3, max: 8 }), (requests, recoveriesPerHour) => {
      const limited = { ...policy, recoveriesPerHour };
      const taken: number[] = [];
      let now = 0;
      for (const [passedMs, steps] of requests) {
        now += passedMs;
        const inMs = budgetFreeInMs(limited, taken, steps, now);
        expect(inMs).toBeLessThanOrEqual(HOUR);
        now += inMs;
        expect(budgetFreeInMs(limited, taken, steps, now)).toBe(0);
        for (let step = 0; step < steps; step += 1) taken.push(now);
      }
      for (const at of taken)
        expect(taken.filter((other) => other >= at && other < at + HOUR).length).toBeLessThanOrEqual(
          recoveriesPerHour,
        );
    }),
  );
});

test('more steps at once than the budget has wait for an hour without any', () => {
  const one = { ...policy, recoveriesPerHour: 1 };
  expect(budgetFreeInMs(one, [0], 2, 1_000)).toBe(HOUR - 1_000);
  expect(budgetFreeInMs(one, [0], 2, HOUR)).toBe(0);
});

test('only what leads towards normal is a step, and what a person sets is none', () => {
  const standing = { level: 'limited', rank: 2 };
  expect(stepsBack(policy, standing, { rank: 0 })).toBe(2);
  expect(stepsBack(policy, standing, { rank: 2 })).toBe(0);
  expect(stepsBack(policy, standing, { rank: 3 })).toBe(0);
  const override = { rank: 0, by: 'ada', reason: 'test', until: 1 };
  expect(stepsBack(policy, standing, { rank: 0, override })).toBe(0);
  // Under another policy the level of this name has another rank.
  expect(stepsBack(policy, { level: 'limited', rank: 7 }, { rank: 1 })).toBe(1);
  expect(stepsBack(policy, { level: 'gone', rank: 7 }, { rank: 1 })).toBe(2);
});
