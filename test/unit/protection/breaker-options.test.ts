import fc from 'fast-check';
import { InvalidInputError } from '../../../core/errors';
import { type BreakerOptions, BreakerRules, CircuitBreaker } from '../../../core/protection';
import { breakMs } from '../../../core/protection/breaker/transition.pure';

describe('options (9)', () => {
  test.each<[string, unknown]>([
    ['consecutiveFailures', 0],
    ['consecutiveFailures', 1.5],
    ['failureRate', 0],
    ['failureRate', 1.01],
    ['failureRate', Number.NaN],
    ['slowRate', -1],
    ['slowerThan', 'soon'],
    ['slowerThan', 0],
    ['minimumCalls', 101],
    ['window', { calls: 0 }],
    ['window', { duration: '1m', buckets: 1 }],
    ['breakFor', -5],
    ['breakLimit', '1ms'],
    ['jitter', 1],
    ['probes', 0],
    ['firstShare', 2],
    ['isFailure', 'always'],
    ['consecutiveFailure', 3],
  ])('%s: %j is refused by its name', (option, value) => {
    const options: BreakerOptions = JSON.parse(JSON.stringify({}));
    Reflect.set(options, option, value);
    const make = () => new CircuitBreaker(options);
    expect(make).toThrow(InvalidInputError);
    expect(make).toThrow(option);
  });
});

test('breaks keep to their limits for any number of breaks, any jitter and any chance', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, jitter, random) => {
        const { breakFor, breakLimit } = new BreakerRules();
        const ms = breakMs(attempt, { breakFor, breakLimit, jitter }, random);
        const middle = breakMs(attempt, { breakFor, breakLimit, jitter: 0 }, random);
        expect(middle).toBeLessThanOrEqual(breakLimit);
        expect(ms).toBeGreaterThanOrEqual(middle * (1 - jitter) - 1e-6);
        expect(ms).toBeLessThanOrEqual(middle * (1 + jitter) + 1e-6);
        expect(breakMs(attempt + 1, { breakFor, breakLimit, jitter: 0 }, random)).toBeGreaterThanOrEqual(
          middle,
        );
      },
    ),
  );
});
