import { INITIAL_STATE } from '../../../core/degradation';
import { strays } from '../../../core/degradation/strays.pure';
import { MOST_VERSIONS_LEFT_OUT } from '../../../core/degradation/versions.pure';

const standing = { version: 5, rank: 1, override: undefined, readOnly: undefined };
const state = { ...INITIAL_STATE, rank: 1, version: 5 };
const override = { rank: 0, by: 'ada', reason: 'x', until: 4e12 };
const readOnly = { by: 'ada', reason: 'x', until: 4e12 };

test('a controller that remembers what stands, or whose own decision is on its way, goes on', () => {
  expect(strays(state, standing)).toBe(false);
  expect(strays({ ...state, rank: 2, version: 6 }, standing)).toBe(false);
  expect(strays({ ...state, override }, { ...standing, override })).toBe(false);
  expect(strays({ ...state, version: 6 }, { ...standing, override })).toBe(false);
  expect(strays({ ...state, version: 6, readOnly: { by: 'database', reason: 'x' } }, standing)).toBe(false);
});

test.each([
  ['an older version', { version: 4 }],
  ['a version far beyond', { version: 6 + MOST_VERSIONS_LEFT_OUT }],
  ['a level by hand that nobody has published', { version: 6, override }],
  ['read-only by hand that nobody has published', { version: 6, readOnly }],
])('one that remembers %s has to go on from what stands', (_, change) => {
  expect(strays({ ...state, ...change }, standing)).toBe(true);
});
