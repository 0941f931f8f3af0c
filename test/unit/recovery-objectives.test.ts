import fc from 'fast-check';
import { checkObjectives } from '../../core/recovery/check-objectives.pure';
import { enterPhase, startClock, workingMs } from '../../core/recovery/phase-clock.pure';
import type { RestorePhase } from '../../core/recovery/types';

const phases = fc.constantFrom<RestorePhase>('resolving', 'previewing', 'awaiting-approval', 'merging');

test('the steps of a run add up to its time, and the wait for people is not counted as work', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(phases, fc.nat(1_000)), { maxLength: 20 }), (moves) => {
      let now = 0;
      let clock = startClock(now);
      for (const [phase, ms] of moves) {
        clock = enterPhase(clock, phase, now);
        now += ms;
      }
      const end = enterPhase(clock, 'done', now);
      const sum = (steps: typeof end.steps) => steps.reduce((total, step) => total + step.ms, 0);
      expect(sum(end.steps)).toBe(now);
      expect(workingMs(end, now)).toBe(sum(end.steps.filter((step) => step.phase !== 'awaiting-approval')));
    }),
  );
});

test('a tenant is held against its own tier, else the default, else none', () => {
  const objectives = {
    tiers: { gold: { rpo: 1_000, rto: 2_000 }, basic: { rpo: 60_000, rto: 60_000 } },
    tenants: { acme: 'gold', lost: 'no-such-tier' },
    defaultTier: 'basic',
  };
  const measured = { rpoMs: 1_000, rtoMs: 2_001 };
  expect(checkObjectives(objectives, 'acme', measured)).toMatchObject({
    tier: 'gold',
    rpoMet: true,
    rtoMet: false,
  });
  expect(checkObjectives(objectives, 'other', measured)).toMatchObject({
    tier: 'basic',
    rpoMet: true,
    rtoMet: true,
  });
  expect(checkObjectives(objectives, 'lost', measured)).toBeUndefined();
  // A tenant may be called like anything that objects have.
  expect(checkObjectives(objectives, 'constructor', measured)).toMatchObject({ tier: 'basic' });
  expect(checkObjectives({ tiers: {}, tenants: {} }, 'acme', measured)).toBeUndefined();
});
