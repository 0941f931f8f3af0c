import { types } from 'node:util';
import { ChronawflowError } from '../../../core/errors';
import { BreakerOpenError, type BreakerOptions, CircuitBreaker } from '../../../core/protection';
import { fail, kindOf, ok, reasonOf } from '../../support/breaker-calls';
import { ManualClock } from '../../support/manual-clock';

describe('a breaker opens', () => {
  test('after failures in a row, and a success begins the row anew', () => {
    const breaker = new CircuitBreaker({ consecutiveFailures: 3, failureRate: false });
    fail(2, breaker);
    ok(1, breaker);
    fail(2, breaker);
    expect(kindOf(breaker)).toBe('closed');
    fail(1, breaker);
    expect([kindOf(breaker), reasonOf(breaker), breaker.isOpen()]).toEqual([
      'open',
      'consecutive-failures',
      true,
    ]);
  });

  test('by its share of failures, but not before there are enough calls', () => {
    const breaker = new CircuitBreaker({ consecutiveFailures: false, failureRate: 0.5, minimumCalls: 10 });
    fail(9, breaker);
    expect(kindOf(breaker)).toBe('closed');
    ok(1, breaker);
    expect([kindOf(breaker), reasonOf(breaker)]).toEqual(['open', 'failure-rate']);
  });

  test('by its share of slow calls, although every one succeeded', () => {
    const breaker = new CircuitBreaker({ slowRate: 0.5, slowerThan: '2s', minimumCalls: 4 });
    ok(2, breaker);
    ok(1, breaker, 1_999);
    ok(2, breaker, 2_000);
    expect(kindOf(breaker)).toBe('closed');
    ok(1, breaker, 5_000);
    expect([kindOf(breaker), reasonOf(breaker)]).toEqual(['open', 'slow-rate']);
  });

  test('by what happened in the window of time, and forgets what is older', () => {
    const clock = new ManualClock();
    const options = {
      consecutiveFailures: false,
      minimumCalls: 6,
      window: { duration: '10s', buckets: 10 },
    } as const;
    const breaker = new CircuitBreaker(options, { clock: clock.read });
    fail(5, breaker);
    clock.advance(10_000);
    fail(5, breaker);
    expect([kindOf(breaker), breaker.getState().calls]).toEqual(['closed', 5]);
    fail(1, breaker);
    expect(reasonOf(breaker)).toBe('failure-rate');
  });

  test('not at all with every rule off', () => {
    const breaker = new CircuitBreaker({ consecutiveFailures: false, failureRate: false, slowRate: false });
    fail(500, breaker);
    expect(kindOf(breaker)).toBe('closed');
  });
});

describe('an open breaker', () => {
  const openBreaker = (options: BreakerOptions = {}) => {
    const clock = new ManualClock();
    const breaker = new CircuitBreaker(
      { consecutiveFailures: 1, breakFor: 100, breakLimit: 1_000, jitter: 0, ...options },
      { name: 'tax/rate', clock: clock.read },
    );
    fail(1, breaker);
    return { clock, breaker };
  };

  test('rejects with a fresh error that says what, why and how long, and is an Error in every way but its stack', async () => {
    const { clock, breaker } = openBreaker();
    clock.advance(40);
    const call = jest.fn();
    const errorOf = () => breaker.execute(call).catch((thrown: unknown) => thrown);
    const [error, other] = [await errorOf(), await errorOf()];
    if (!(error instanceof BreakerOpenError)) throw new Error('not refused');
    expect(error).not.toBe(other);
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(ChronawflowError);
    expect(error.message).toBe(
      'tax/rate: no call passes, the breaker is open (consecutive-failures); try again in 60 ms.',
    );
    expect(error).toMatchObject({
      name: 'BreakerOpenError',
      code: 'BREAKER_OPEN',
      kind: 'refused',
      retryAfterMs: 60,
    });
    expect(String(error)).toBe(`BreakerOpenError: ${error.message}`);
    expect(error.stack).toBe(String(error));
    expect(types.isNativeError(error)).toBe(false);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'BREAKER_OPEN', message: error.message });
    expect(call).not.toHaveBeenCalled();
    expect(Error.stackTraceLimit).toBeGreaterThan(0);
  });

  test('lets so many probes pass at a time after the break, and comes back by a growing share', async () => {
    const { clock, breaker } = openBreaker({ probes: 2, closeOver: 1_000, firstShare: 0.1 });
    clock.advance(100);
    const ends: (() => void)[] = [];
    const hanging = () => breaker.execute(() => new Promise<void>((resolve) => ends.push(resolve)));
    const probes = [hanging(), hanging()];
    await expect(hanging()).rejects.toThrow('half-open');
    for (const end of ends) end();
    await Promise.all(probes);
    expect(kindOf(breaker)).toBe('closing');

    const admitted = async (of: number) => {
      let count = 0;
      for (let i = 0; i < of; i += 1)
        await breaker
          .execute(() => 1)
          .then(
            () => {
              count += 1;
            },
            () => undefined,
          );
      return count;
    };
    const shares = [await admitted(100)];
    for (const _ of [1, 2]) {
      clock.advance(333);
      shares.push(await admitted(100));
    }
    // 10 % at first, then the same share more with every third of the time.
    for (const [i, share] of [10, 40, 70].entries())
      expect(Math.abs((shares[i] ?? 0) - share)).toBeLessThanOrEqual(2);
    clock.advance(334);
    expect(await admitted(100)).toBe(100);
    expect(kindOf(breaker)).toBe('closed');
  });

  test('breaks twice as long each time it opens again, up to the limit, and starts over once it was closed', async () => {
    const { clock, breaker } = openBreaker({ probes: 1, closeOver: 0 });
    const breaks: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { state } = breaker.getState();
      if (state.kind !== 'open') throw new Error(`it is ${state.kind}`);
      breaks.push(state.until - clock.read());
      clock.advance(state.until - clock.read());
      await expect(breaker.execute(() => Promise.reject(new Error('still down')))).rejects.toThrow(
        'still down',
      );
    }
    expect(breaks).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    clock.advance(1_000);
    await breaker.execute(() => 1);
    fail(1, breaker);
    expect(breaker.getState().state).toMatchObject({ kind: 'open', attempt: 1 });
  });

  test('says since when it was last closed, also while it goes from open to half-open and back', async () => {
    const { clock, breaker } = openBreaker();
    clock.advance(100);
    await expect(breaker.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    clock.advance(50);
    expect(breaker.getState().notClosedForMs).toBe(150);
  });

  test('counts a probe that never ends as failed (5)', async () => {
    const { clock, breaker } = openBreaker({ probes: 1, probeLimit: 500 });
    clock.advance(100);
    void breaker.execute(() => new Promise(() => {}));
    clock.advance(499);
    await expect(breaker.execute(() => 1)).rejects.toThrow('half-open');
    clock.advance(1);
    await expect(breaker.execute(() => 1)).rejects.toThrow('probe-lost');
    expect(breaker.getState().state).toMatchObject({ kind: 'open', attempt: 2 });
  });

  test('a call that began before it opened neither closes nor opens it (7)', async () => {
    const clock = new ManualClock();
    const breaker = new CircuitBreaker(
      { consecutiveFailures: 1, probes: 1, jitter: 0 },
      { clock: clock.read },
    );
    let end = () => {};
    const old = breaker.execute(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    fail(1, breaker);
    clock.advance(5_000);
    void breaker.execute(() => new Promise(() => {}));
    end();
    await old;
    expect(breaker.getState().state).toMatchObject({ kind: 'half-open', passed: 0 });
  });
});

describe('by hand', () => {
  test('an isolated breaker lets nothing pass, a forced one everything, and released it knows of nothing', async () => {
    const breaker = new CircuitBreaker({ consecutiveFailures: 1 });
    breaker.isolate('supplier asks for quiet');
    await expect(breaker.execute(() => 1)).rejects.toThrow('supplier asks for quiet');
    breaker.forceClose('we know it fails');
    fail(20, breaker);
    await expect(breaker.execute(() => 1)).resolves.toBe(1);
    breaker.release();
    expect(breaker.getState()).toMatchObject({ state: { kind: 'closed' }, calls: 0, consecutiveFailures: 0 });
  });

  test('nothing opens what is held', () => {
    const breaker = new CircuitBreaker();
    breaker.forceClose('test');
    breaker.trip('shared');
    expect(kindOf(breaker)).toBe('forced-closed');
  });
});

test('steps of the system’s clock change nothing (6)', async () => {
  const breaker = new CircuitBreaker({ consecutiveFailures: 1, breakFor: '1h', breakLimit: '1h' });
  fail(1, breaker);
  const clock = jest.spyOn(Date, 'now');
  for (const step of [-86_400_000, 86_400_000 * 365]) {
    clock.mockReturnValue(1_700_000_000_000 + step);
    await expect(breaker.execute(() => 1)).rejects.toThrow(BreakerOpenError);
  }
  clock.mockRestore();
});
