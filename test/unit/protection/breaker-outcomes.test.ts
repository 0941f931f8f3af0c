import { BreakerOpenError, type BreakerOptions, CircuitBreaker } from '../../../core/protection';
import { kindOf } from '../../support/breaker-calls';

describe('what counts', () => {
  const breakerOf = (options: BreakerOptions = {}) =>
    new CircuitBreaker({ consecutiveFailures: 1, ...options });

  test.each([
    [
      'an error',
      () => {
        throw new Error('thrown at once');
      },
    ],
    ['a rejection', () => Promise.reject(new Error('later'))],
    [
      'no error at all',
      () => {
        throw 'a text';
      },
    ],
    ['undefined', () => Promise.reject(undefined)],
  ])('%s that is thrown counts and reaches the caller as it is (1, 2)', async (_, call) => {
    const breaker = breakerOf();
    let expected: unknown;
    try {
      await call();
    } catch (thrown) {
      expected = thrown;
    }
    const thrown = await breaker.execute(call).then(
      () => 'answered',
      (error: unknown) => error,
    );
    expect(thrown).toEqual(expected);
    expect(kindOf(breaker)).toBe('open');
  });

  test('an error that does not speak against the service counts as an answer', async () => {
    const breaker = breakerOf({ isFailure: (error) => !(error instanceof RangeError) });
    await expect(
      breaker.execute(() => {
        throw new RangeError('no such country');
      }),
    ).rejects.toThrow(RangeError);
    expect(breaker.getState()).toMatchObject({ state: { kind: 'closed' }, calls: 1, failed: 0 });
  });

  test('a judge that throws hides no error', async () => {
    const breaker = breakerOf({
      isFailure: () => {
        throw new Error('judge');
      },
    });
    await expect(breaker.execute(() => Promise.reject(new Error('the call’s')))).rejects.toThrow(
      'the call’s',
    );
    expect(kindOf(breaker)).toBe('open');
  });

  test('a caller who gives up hears at once and counts as nothing, also when the call ignores it (4)', async () => {
    const breaker = breakerOf();
    const abort = new AbortController();
    const answer = breaker.execute(() => new Promise(() => {}), abort.signal);
    abort.abort(new Error('the user went away'));
    await expect(answer).rejects.toThrow('the user went away');
    await expect(breaker.execute(() => 1, abort.signal)).rejects.toThrow('the user went away');
    expect(breaker.getState().calls).toBe(0);
  });

  test('a deadline that passes is a failure of the service', async () => {
    const breaker = breakerOf();
    const signal = AbortSignal.timeout(5);
    await expect(breaker.execute(() => new Promise(() => {}), signal)).rejects.toThrow('timeout');
    expect(kindOf(breaker)).toBe('open');
  });

  test('a refusal of a guard further in counts as nothing', async () => {
    const [inner, outer] = [breakerOf(), breakerOf()];
    inner.isolate('test');
    await expect(outer.execute(() => inner.execute(() => 1))).rejects.toThrow(BreakerOpenError);
    expect(outer.getState()).toMatchObject({ state: { kind: 'closed' }, calls: 0 });
  });
});
