import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { ChronawflowError, InvalidInputError } from '../../../core/errors';
import {
  Bulkhead,
  CircuitBreaker,
  elsewhere,
  emergency,
  Fallback,
  Hedging,
  type Policy,
  pipeline,
  Retry,
  Timeout,
} from '../../../core/protection';
import { watchUnhandled } from '../../support/unhandled';

/** One that does not open: several retries around each other make dozens of calls that fail. */
const calmBreaker = () =>
  new CircuitBreaker({ consecutiveFailures: false, failureRate: false, slowRate: false });

/** What holds for every policy, whatever it does besides. */
const POLICIES: readonly (readonly [string, () => Policy])[] = [
  ['CircuitBreaker', () => calmBreaker()],
  ['Timeout', () => new Timeout({ limit: '1m' })],
  ['Retry', () => new Retry({ idempotent: true, attempts: 2, base: 1, limit: 1 })],
  ['Bulkhead', () => new Bulkhead({ concurrency: 2 })],
  ['Hedging', () => new Hedging({ after: '1m' })],
  [
    'pipeline',
    () =>
      pipeline(new Timeout({ limit: '1m' }), new Retry(), calmBreaker(), new Bulkhead({ concurrency: 2 })),
  ],
];
const unhandled = watchUnhandled();

afterEach(async () => {
  await unhandled.settle();
  expect(unhandled.seen).toEqual([]);
});

describe.each(POLICIES)('%s', (_, make) => {
  test('hands the answer on, of a promise, a value or a thenable', async () => {
    await expect(make().execute(async () => 1)).resolves.toBe(1);
    await expect(make().execute(() => 2)).resolves.toBe(2);
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tried
    await expect(make().execute(() => ({ then: (ok) => ok?.(3) as never }))).resolves.toBe(3);
  });

  test.each<[string, unknown]>([
    ['an error', new Error('down')],
    ['a text', 'down'],
    ['undefined', undefined],
    ['null', null],
    ['a frozen object', Object.freeze({})],
  ])('hands on %s that is thrown or rejected, as it is (1, 2)', async (_name, thrown) => {
    const calls = [
      () => Promise.reject(thrown),
      () => {
        throw thrown;
      },
    ];
    for (const call of calls) {
      const caught = await make()
        .execute(call)
        .then(
          () => 'answered',
          (error: unknown) => error,
        );
      expect(caught).toBe(thrown);
    }
  });

  test('rejects at once with the reason of its caller, whether or not the call heeds it (4)', async () => {
    const abort = new AbortController();
    let inner: AbortSignal | undefined;
    const answer = make().execute((signal) => {
      inner = signal;
      return new Promise(() => {});
    }, abort.signal);
    await unhandled.settle();
    const reason = new Error('the user went away');
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(inner?.aborted).toBe(true);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  test('does not begin for a caller who has given up already', async () => {
    const call = jest.fn();
    await expect(make().execute(call, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(call).not.toHaveBeenCalled();
  });

  test('a call that fails after its caller has gone is nobody’s unhandled rejection (2)', async () => {
    const abort = new AbortController();
    let fail = (_: Error) => {};
    const answer = make().execute(
      () =>
        new Promise((_resolve, reject) => {
          fail = reject;
        }),
      abort.signal,
    );
    await unhandled.settle();
    abort.abort(new Error('gone'));
    await expect(answer).rejects.toThrow('gone');
    fail(new Error('late'));
    await unhandled.settle();
  });

  test('leaves no listener and no timer behind (3)', async () => {
    const { signal } = new AbortController();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const policy = make();
    for (let i = 0; i < 5; i += 1) await policy.execute(() => i, signal);
    await expect(policy.execute(() => Promise.reject(new Error('down')), signal)).rejects.toThrow('down');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(timers()).toBe(before);
  });
});

describe('pipeline', () => {
  test('the first policy is the outermost', async () => {
    const order: string[] = [];
    const named = (name: string): Policy => ({
      execute: async (call, signal) => {
        order.push(name);
        return call(signal ?? new AbortController().signal);
      },
    });
    await pipeline(named('a'), named('b'), named('c')).execute(() => order.push('call'));
    expect(order).toEqual(['a', 'b', 'c', 'call']);
  });

  test('a retry asks the breaker for each try, and stops at its refusal', async () => {
    const breaker = new CircuitBreaker({ consecutiveFailures: 2 });
    const guarded = pipeline(new Retry({ idempotent: true, attempts: 10, base: 1, limit: 1 }), breaker);
    const call = jest.fn(() => Promise.reject(new Error('down')));
    await expect(guarded.execute(call)).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    expect(call).toHaveBeenCalledTimes(2);
  });

  test('the breaker sees the timeout outside it, also when the call ignores it', async () => {
    const breaker = new CircuitBreaker({ consecutiveFailures: 1 });
    const guarded = pipeline(new Timeout({ limit: 10 }), breaker);
    await expect(guarded.execute(() => new Promise(() => {}))).rejects.toMatchObject({
      code: 'TIMEOUT_EXCEEDED',
    });
    expect(breaker.isOpen()).toBe(true);
  });

  test('takes a fallback among its policies', async () => {
    const guarded = pipeline<number>(new Fallback({ levels: [emergency(7)] }), new CircuitBreaker());
    await expect(guarded.execute(() => Promise.reject(new Error('down')))).resolves.toBe(7);
  });

  test('refuses to be empty and what is no policy (9)', () => {
    expect(() => pipeline()).toThrow(InvalidInputError);
    expect(() => pipeline(JSON.parse('{}'))).toThrow('policies.0');
  });
});

test('whatever policies are put together in whatever order, a good call is made once and a bad one’s error comes out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...POLICIES.map(([, make]) => make)), { minLength: 1, maxLength: 6 }),
      async (makes) => {
        let made = 0;
        await expect(pipeline(...makes.map((make) => make())).execute(() => ++made)).resolves.toBe(1);
        expect(made).toBe(1);
        const error = new Error('down');
        await expect(
          pipeline(...makes.map((make) => make())).execute(() => Promise.reject(error)),
        ).rejects.toBe(error);
      },
    ),
    { numRuns: 50 },
  );
});

describe('a fallback', () => {
  const down = () => Promise.reject(new Error('down'));

  test('asks its levels in order, says which one answered and why', async () => {
    const told: string[] = [];
    const chain = new Fallback<string>({
      levels: [
        elsewhere('other-endpoint', () => Promise.reject(new Error('down as well'))),
        elsewhere('simplified', () => 'about 20 %'),
        emergency('standard'),
      ],
      onAnswer: ({ level }) => told.push(level),
    });
    const answer = await chain.answer(down);
    expect(answer).toMatchObject({ value: 'about 20 %', level: 'simplified', cause: { message: 'down' } });
    expect(await chain.answer(() => '19 %')).toEqual({ value: '19 %', level: 'primary' });
    expect(told).toEqual(['simplified', 'primary']);
  });

  test('when no level can answer, the call’s own error is the cause and none is lost', async () => {
    const chain = new Fallback({
      levels: [
        elsewhere('one', () => {
          throw 'a text';
        }),
        elsewhere('two', down),
      ],
    });
    const error = await chain.answer(down).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ChronawflowError);
    expect(error).toMatchObject({
      code: 'FALLBACK_EXHAUSTED',
      cause: { message: 'down' },
      failures: [{ level: 'one', error: 'a text' }, { level: 'two' }],
    });
  });

  test('stands in only for what it handles, and for nobody who has gone', async () => {
    const level = jest.fn(() => 1);
    const chain = new Fallback<number>({
      levels: [elsewhere('one', level)],
      handles: (error) => !(error instanceof RangeError),
    });
    await expect(
      chain.execute(() => {
        throw new RangeError('no such country');
      }),
    ).rejects.toThrow(RangeError);
    await expect(chain.execute(() => 1, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(level).not.toHaveBeenCalled();
  });

  test.each([
    ['levels', { levels: [] }],
    ['levels', { levels: [emergency(1), emergency(2)] }],
    ['levels', { levels: [emergency(1, 'primary')] }],
  ])('%s: nonsense is refused (9)', (option, options) => {
    expect(() => new Fallback<number>(options)).toThrow(option);
  });
});
