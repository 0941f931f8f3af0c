import fc from 'fast-check';
import { InvalidInputError } from '../../../core/errors';
import {
  Fallback,
  Hedging,
  type Protected,
  Retry,
  RetryBudget,
  remainingMs,
  remembered,
  Timeout,
} from '../../../core/protection';
import { LatencyHistogram } from '../../../core/protection/latency-histogram';
import { backoffMs } from '../../../core/protection/retry/retry-plan.pure';
import { ManualClock } from '../../support/manual-clock';

const never: Protected<never> = () => new Promise(() => {});
const down = () => Promise.reject(new Error('down'));

describe('a timeout', () => {
  test('ends the wait and really aborts the call’s signal', async () => {
    let seen: AbortSignal | undefined;
    const told: unknown[] = [];
    const limit = new Timeout({ limit: 20, onTimeout: (error) => told.push(error) });
    const error = await limit
      .execute((signal) => {
        seen = signal;
        return never(signal);
      })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TIMEOUT_EXCEEDED', byDeadline: false, timeoutMs: 20 });
    expect(seen?.reason).toBe(error);
    expect(told).toEqual([error]);
  });

  test('never waits longer than what is left of its caller’s', async () => {
    const outer = new Timeout({ limit: 1_000 });
    const inner = new Timeout({ limit: '1m' });
    let left = 0;
    const answer = outer.execute((signal) =>
      inner.execute((within) => {
        left = remainingMs(within);
        return never(within);
      }, signal),
    );
    await expect(answer).rejects.toMatchObject({ code: 'TIMEOUT_EXCEEDED' });
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(1_000);
  });

  test('does not begin when nothing is left', async () => {
    const call = jest.fn();
    const outer = new Timeout({ limit: 5 });
    const late = outer.execute(async (signal) => {
      const until = performance.now() + 10;
      while (performance.now() < until);
      return new Timeout({ limit: '1m' }).execute(call, signal);
    });
    await expect(late).rejects.toMatchObject({ byDeadline: true, timeoutMs: 0 });
    expect(call).not.toHaveBeenCalled();
  });

  test('without a deadline there is no end', () => {
    expect(remainingMs(new AbortController().signal)).toBe(Number.POSITIVE_INFINITY);
  });

  test('follows the observed answers between its bounds, once there are enough', async () => {
    const limit = new Timeout({ limit: 5_000, adaptive: { floor: 3_000, factor: 2, minimumCalls: 10 } });
    expect(limit.limitMs()).toBe(5_000);
    for (let i = 0; i < 10; i += 1) await limit.execute(() => i);
    expect(limit.limitMs()).toBe(3_000);
  });

  test('is shortened by the degradation level', () => {
    let level = 1;
    const limit = new Timeout({ limit: 1_000, scale: () => level });
    level = 0.25;
    expect(limit.limitMs()).toBe(250);
    level = 7;
    expect(limit.limitMs()).toBe(1_000);
  });

  test('cuts a call off at the shortened limit, and asks for the level at each call', async () => {
    let level = 1;
    const limit = new Timeout({ limit: '10m', scale: () => level });
    expect(await limit.execute(async () => 'in time')).toBe('in time');
    level = 0.000_1;
    const hung = limit.execute(() => new Promise(() => undefined));
    await expect(hung).rejects.toMatchObject({ code: 'TIMEOUT_EXCEEDED', timeoutMs: 60, byDeadline: false });
  });

  test.each<[string, Record<string, unknown>]>([
    ['limit', { limit: 0 }],
    ['limit', { limit: '25d' }],
    ['limit', {}],
    ['adaptive.floor', { limit: 10, adaptive: { floor: 20 } }],
    ['adaptive.factor', { limit: 10, adaptive: { factor: 0.5 } }],
    ['limits', { limit: 10, limits: 1 }],
  ])('%s: nonsense is refused (9)', (option, options) => {
    const make = () => new Timeout(JSON.parse(JSON.stringify(options)));
    expect(make).toThrow(InvalidInputError);
    expect(make).toThrow(option);
  });
});

describe('a retry', () => {
  const fast = { base: 1, limit: 1 } as const;

  test('tries an idempotent call again until it succeeds', async () => {
    const call = jest
      .fn()
      .mockRejectedValueOnce(new Error('1'))
      .mockRejectedValueOnce(new Error('2'))
      .mockResolvedValue('ok');
    const told: number[] = [];
    const retry = new Retry({ ...fast, idempotent: true, onRetry: ({ attempt }) => told.push(attempt) });
    await expect(retry.execute(call)).resolves.toBe('ok');
    expect(told).toEqual([1, 2]);
  });

  test('gives the last error as it is', async () => {
    let n = 0;
    const retry = new Retry({ ...fast, idempotent: true, attempts: 4 });
    await expect(retry.execute(() => Promise.reject(new Error(`try ${++n}`)))).rejects.toThrow('try 4');
  });

  test('does not repeat what is not idempotent, unless it has a key', async () => {
    const retry = new Retry(fast);
    const call = jest.fn(down);
    await expect(retry.execute(call)).rejects.toThrow('down');
    expect(call).toHaveBeenCalledTimes(1);
    await expect(retry.keyed('invoice-7').execute(call)).rejects.toThrow('down');
    expect(call).toHaveBeenCalledTimes(4);
    expect(() => retry.keyed('')).toThrow('key');
  });

  test('does not repeat what cannot get better, nor what its owner rules out', async () => {
    const call = jest.fn(() => Promise.reject(new InvalidInputError('wrong')));
    await expect(new Retry({ ...fast, idempotent: true }).execute(call)).rejects.toThrow('wrong');
    expect(call).toHaveBeenCalledTimes(1);
    const other = jest.fn(down);
    await expect(
      new Retry({ ...fast, idempotent: true, isRetryable: () => false }).execute(other),
    ).rejects.toThrow('down');
    expect(other).toHaveBeenCalledTimes(1);
  });

  test('does not wait past its caller’s deadline', async () => {
    const call = jest.fn(down);
    const retry = new Retry({ idempotent: true, base: '10m', limit: '10m', random: () => 1 });
    await expect(
      new Timeout({ limit: '1m' }).execute((signal) => retry.execute(call, signal)),
    ).rejects.toThrow('down');
    expect(call).toHaveBeenCalledTimes(1);
  });

  test('stops waiting when its caller gives up', async () => {
    const abort = new AbortController();
    const retry = new Retry({
      idempotent: true,
      base: '1h',
      limit: '1h',
      random: () => 1,
      onRetry: () => setImmediate(() => abort.abort(new Error('gone'))),
    });
    await expect(retry.execute(down, abort.signal)).rejects.toThrow('gone');
  });

  test.each([
    ['attempts', { attempts: 0 }],
    ['limit', { base: 10, limit: 5 }],
    ['base', { base: '?' }],
  ])('%s: nonsense is refused (9)', (option, options) => expect(() => new Retry(options)).toThrow(option));

  test('waits are never longer than the doubled base or the limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, random) => {
          const ms = backoffMs(n, 100, 20_000, random);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(Math.min(20_000, 100 * 2 ** Math.min(n - 1, 20)));
        },
      ),
    );
  });
});

describe('a retry budget', () => {
  test('in any order of calls and wishes, retries are at most the reserve and a share of the calls before', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 20 }),
        fc.array(fc.boolean(), { maxLength: 400 }),
        (share, reserve, steps) => {
          const budget = new RetryBudget({ share, reserve });
          let calls = 0;
          let retries = 0;
          for (const isCall of steps) {
            if (isCall) {
              calls += 1;
              budget.deposit();
            } else if (budget.withdraw()) retries += 1;
            expect(retries).toBeLessThanOrEqual(reserve + share * calls + 1e-9);
          }
        },
      ),
    );
  });

  test('that several retries share bounds all of them while everything fails', async () => {
    const budget = new RetryBudget({ share: 0.1, reserve: 5 });
    const options = { idempotent: true, attempts: 3, base: 1, limit: 1, budget } as const;
    const retries = [new Retry(options), new Retry(options)];
    const call = jest.fn(down);
    for (let i = 0; i < 200; i += 1) await expect(retries[i % 2]?.execute(call)).rejects.toThrow('down');
    expect(call.mock.calls.length).toBeLessThanOrEqual(200 + 5 + 20);
    expect(call.mock.calls.length).toBeGreaterThanOrEqual(200 + 20);
  });

  test.each([
    ['share', { share: 0 }],
    ['reserve', { reserve: -1 }],
  ])('%s: nonsense is refused (9)', (option, options) => {
    expect(() => new RetryBudget(options)).toThrow(option);
  });
});

describe('hedging', () => {
  test('asks again when the first call takes long, takes the first answer and aborts the other', async () => {
    const signals: AbortSignal[] = [];
    const answer = new Hedging({ after: 5 }).execute((signal) => {
      signals.push(signal);
      return signals.length === 1 ? never(signal) : Promise.resolve('second');
    });
    await expect(answer).resolves.toBe('second');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  test('makes one call when that answers in time', async () => {
    const call = jest.fn(async () => 1);
    await new Hedging({ after: '1m' }).execute(call);
    expect(call).toHaveBeenCalledTimes(1);
  });

  test('fails with the first error when all fail, and not before', async () => {
    let begun = 0;
    let thirdBegins = () => {};
    const third = new Promise<void>((resolve) => {
      thirdBegins = resolve;
    });
    const answer = new Hedging({ after: 5, attempts: 3 }).execute(async (signal) => {
      begun += 1;
      const me = begun;
      if (me < 3) {
        await third;
        await new Promise((resolve) => setImmediate(resolve));
      } else thirdBegins();
      throw new Error(`call ${me} ${signal.aborted}`);
    });
    await expect(answer).rejects.toThrow('call 3 false');
    expect(begun).toBe(3);
  });

  test('takes hedges out of the budget', async () => {
    const budget = new RetryBudget({ reserve: 0, share: 0.1 });
    const call = jest.fn(() => new Promise((resolve) => setTimeout(() => resolve(1), 30)));
    await new Hedging({ after: 1, budget }).execute(call);
    expect(call).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['after', { after: -1 }],
    ['attempts', { after: 1, attempts: 1 }],
    ['percentile', { after: 1, percentile: 95 }],
  ])('%s: nonsense is refused (9)', (option, options) => expect(() => new Hedging(options)).toThrow(option));
});

describe('a remembered answer', () => {
  const scene = () => {
    const clock = new ManualClock();
    const chain = new Fallback<number>({
      levels: [remembered({ maxAge: '1m', limit: 2, clock: clock.read })],
    });
    return { clock, chain };
  };

  test('is given again for the same key, with its age, until it is too old', async () => {
    const { clock, chain } = scene();
    await chain.answer(() => 19, { key: 'DE' });
    clock.advance(60_000);
    expect(await chain.answer(down, { key: 'DE' })).toMatchObject({
      value: 19,
      level: 'cached',
      staleMs: 60_000,
    });
    await expect(chain.answer(down, { key: 'FR' })).rejects.toThrow('FR');
    clock.advance(1);
    await expect(chain.answer(down, { key: 'DE' })).rejects.toThrow('too old');
  });

  test('only so many keys are remembered, the latest ones', async () => {
    const { chain } = scene();
    for (const key of ['a', 'b', 'a', 'c']) await chain.answer(() => 1, { key });
    await expect(chain.answer(down, { key: 'b' })).rejects.toThrow(`'b'`);
    await expect(chain.answer(down, { key: 'a' })).resolves.toMatchObject({ value: 1 });
  });
});

test('a percentile is at most a tenth off, for any answer times', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 1_500 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (times, share) => {
        const histogram = new LatencyHistogram();
        for (const ms of times) histogram.observe(ms);
        const sorted = [...times].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
        const found = histogram.percentile(share);
        expect(found).toBeGreaterThanOrEqual(exact * 0.999);
        expect(found).toBeLessThanOrEqual(exact * 1.101);
      },
    ),
  );
});
