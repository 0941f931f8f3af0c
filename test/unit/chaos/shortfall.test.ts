import { shortfall } from '../../../core/chaos';
import type { ActivityRun, SteadyState } from '../../../core/chaos/types';

const run = (name: string, tolerance_met: boolean, more: Partial<ActivityRun> = {}): ActivityRun => ({
  activity: { name },
  status: 'succeeded',
  output: { status: 200, body: { waiting: 3 } },
  start: '',
  end: '',
  duration: 0,
  tolerance_met,
  ...more,
});
const state = (...probes: ActivityRun[]): SteadyState => ({
  steady_state_met: probes.every(({ tolerance_met }) => tolerance_met === true),
  probes,
});

test('a run that passed has nothing to say', () => {
  expect(shortfall({ before: state(run('a', true)), after: state(run('a', true)) })).toBeUndefined();
});

test('what was missing is named with what was there instead', () => {
  const before = state(run('a', true));
  expect(shortfall({ before: state(run('a', false)) })).toBe(
    'there was no steady state before: a ({"waiting":3})',
  );
  expect(shortfall({ before, during: state(run('a', true), run('b', false)), after: before })).toBe(
    'did not come true during the faults: b ({"waiting":3})',
  );
  expect(
    shortfall({ before, after: state(run('c', false, { exception: ['no answer'], output: null })) }),
  ).toBe('did not come back afterwards: c (no answer)');
});

test('an abort comes first, then an error, and long answers are cut', () => {
  const after = state(run('c', false, { output: 'x'.repeat(5_000) }));
  const abort = { kind: 'condition' as const, reason: 'level 3', rolledBackAfterMs: 5 };
  const error = { code: 'X', message: 'broken' };
  expect(shortfall({ abort, error, after })).toBe('level 3');
  expect(shortfall({ error, after })).toBe('broken');
  expect(shortfall({ after })?.length).toBeLessThan(300);
});
