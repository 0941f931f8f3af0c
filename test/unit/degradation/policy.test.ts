import { parseConfig } from '../../../config';
import { INITIAL_STATE } from '../../../core/degradation/decide.pure';
import { levelAt, rankOf } from '../../../core/degradation/policy.pure';
import { underPolicy } from '../../../core/degradation/under-policy.pure';
import { BOOKS, configWith, policyWith } from '../../support/degradation-policy';

/** YAML with the section as text, so that lines are as somebody would have written them. */
function load(section: string): void {
  const { degradation: _, ...required } = configWith(undefined);
  const rest = { ...required, objectives: { tiers: { gold: { rpo: '5m', rto: '15m' } } } };
  const text = `${Object.entries(rest)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join('\n')}\ndegradation:\n${section}`;
  parseConfig(text, { file: 'chronawflow.yaml', env: {} });
}

test.each([
  [
    'a leave threshold that is not better than the enter threshold',
    '  levels:\n    - name: reduced\n      when:\n        error-rate: { enter: 0.05, leave: 0.05 }',
    /levels\.0\.when\.error-rate\.leave: 0\.05 is not better than enter \(0\.05\).*\(line 9\)/,
  ],
  [
    'the same for a signal that gets worse downwards',
    '  levels:\n    - name: reduced\n      when:\n        availability: { enter: 0.99, leave: 0.98 }',
    /it has to be higher \(line 9\)/,
  ],
  [
    'a level without a way back',
    '  levels:\n    - name: reduced\n      when:\n        latency: { enter: 2s }',
    /latency: has no way back: give 'leave' beside 'enter' \(line 9\)/,
  ],
  [
    'a way back that can never be reached',
    '  levels:\n    - name: reduced\n      when:\n        availability: { enter: 0.99, leave: 1.01 }',
    /1\.01 can never be reached: there is no way back \(line 9\)/,
  ],
  [
    'a core feature that is shed',
    '  core: [sign-in]\n  levels:\n    - name: reduced\n      off:\n        - exports\n        - sign-in',
    /levels\.0\.off\.1: 'sign-in' is core and may never be shed \(line 11\)/,
  ],
  [
    'a core feature that would answer from a cache',
    '  core: [sign-in]\n  levels:\n    - name: reduced\n      cacheOnly: [sign-in]',
    /cacheOnly\.0: 'sign-in' is core.*\(line 9\)/,
  ],
  [
    'a harder level that is reached first',
    '  levels:\n    - name: reduced\n      when: { error-rate: { enter: 0.2, leave: 0.1 } }\n    - name: limited\n      when: { error-rate: { enter: 0.1, leave: 0.05 } }',
    /levels\.1\.when\.error-rate\.enter: is reached before the milder level 'reduced' \(line 10\)/,
  ],
  [
    'a harder level that admits more',
    '  levels:\n    - name: reduced\n      limits: { low: 0.2 }\n    - name: limited\n      limits: { low: 0.5 }',
    /levels\.1\.limits\.low: admits more than at the milder level 'reduced' \(line 10\)/,
  ],
  [
    'a tier that objectives do not know',
    '  tiers:\n    - gold\n    - silver',
    /degradation\.tiers\.1: there is no tier 'silver' under objectives\.tiers; there are gold \(line 8\)/,
  ],
  [
    'a signal that nobody knows',
    '  levels:\n    - name: reduced\n      when: { erorrs: { enter: 1, leave: 0 } }',
    /there is no signal 'erorrs'/,
  ],
  [
    'two levels of one name',
    '  levels:\n    - name: reduced\n    - name: reduced',
    /levels\.1\.name: is there twice/,
  ],
  [
    'read-only as a step of the ladder',
    '  levels:\n    - name: read-only',
    /'read-only' is not a level of the ladder/,
  ],
  ['a dwell shorter than the interval', '  interval: 10s\n  dwell: 5s', /dwell: is shorter than interval/],
  [
    'a limit for what is core',
    '  levels:\n    - name: reduced\n      limits: { core: 0.5 }',
    /unknown key 'core'/,
  ],
])('%s is refused with its line', (_, section, message) => {
  expect(() => load(section)).toThrow(message);
});

test('the default levels are a policy that is accepted, and hold nothing of what is core', () => {
  const policy = policyWith({ core: ['sign-in'] });
  expect(policy.levels.map(({ name }) => name)).toEqual(['normal', 'reduced', 'limited', 'core-only']);
  expect(policy).toMatchObject({ intervalMs: 5_000, dwellMs: 300_000, staleAfterMs: 15_000 });
});

test('a level also does what the milder ones do', () => {
  const policy = policyWith(BOOKS);
  expect(levelAt(policy, 3).off).toEqual(['exports', 'reports', 'search']);
  expect(levelAt(policy, 3).holdJobs).toEqual(['normal', 'low']);
  expect(levelAt(policy, 99)).toBe(levelAt(policy, 3));
  expect(rankOf(policy, 'limited')).toBe(2);
});

test('a changed policy keeps the level of the same name, else the hardest that is not beyond', () => {
  const before = policyWith(BOOKS);
  const [reduced, , coreOnly] = BOOKS.levels;
  const after = policyWith({ ...BOOKS, levels: [reduced, coreOnly] });
  expect(underPolicy(before, after, { ...INITIAL_STATE, rank: 3 }).rank).toBe(2);
  expect(underPolicy(before, after, { ...INITIAL_STATE, rank: 2 }).rank).toBe(2);
  expect(
    underPolicy(before, policyWith({ ...BOOKS, levels: [reduced] }), { ...INITIAL_STATE, rank: 3 }).rank,
  ).toBe(1);
});
