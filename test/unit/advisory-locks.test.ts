import { ADVISORY_LOCKS } from '../../database';

test('no two advisory locks have one number: a merge would wait for a claim of jobs', () => {
  const numbers = Object.values(ADVISORY_LOCKS);
  expect(new Set(numbers).size).toBe(numbers.length);
});
