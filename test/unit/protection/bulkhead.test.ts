import fc from 'fast-check';
import { Bulkhead, type BulkheadOptions } from '../../../core/protection';
import { FairQueue } from '../../../core/protection/bulkhead/fair-queue';
import { type Gradient, nextGradient } from '../../../core/protection/bulkhead/gradient.pure';
import { ManualClock } from '../../support/manual-clock';

/** Calls that end when the test says so. */
class Calls {
  private readonly ends: (() => void)[] = [];
  readonly begun: string[] = [];

  readonly call = (name: string) => () =>
    new Promise<string>((resolve) => {
      this.begun.push(name);
      this.ends.push(() => resolve(name));
    });

  async endNext(): Promise<void> {
    this.ends.shift()?.();
    await turns();
  }
}
/** Until everything that does not wait for a timer has happened. */
const turns = () => new Promise((resolve) => setImmediate(resolve));
const scene = (options: BulkheadOptions) => {
  const calls = new Calls();
  const bulkhead = new Bulkhead({ name: 'tax', ...options });
  const start = (tenant: string) => {
    const answer = bulkhead
      .of(tenant)
      .execute(calls.call(tenant))
      .then(
        () => 'ended',
        (error: { reason: string }) => error.reason,
      );
    return answer;
  };
  return { calls, bulkhead, start };
};

test('as many calls as there are places, then refusals', async () => {
  const { calls, bulkhead, start } = scene({ concurrency: 2 });
  const first = [start('a'), start('b')];
  await expect(start('c')).resolves.toBe('queue-full');
  expect(bulkhead.getState()).toMatchObject({ running: 2, waiting: 0 });
  await calls.endNext();
  await calls.endNext();
  await expect(Promise.all(first)).resolves.toEqual(['ended', 'ended']);
  expect(bulkhead.getState().running).toBe(0);
});

test('a refusal says which bulkhead, which tenant and why', async () => {
  const { bulkhead, calls } = scene({ concurrency: 1 });
  void bulkhead.execute(calls.call('x'));
  await expect(bulkhead.of('acme').execute(() => 1)).rejects.toMatchObject({
    code: 'BULKHEAD_FULL',
    message: "tax: no place for a call of tenant 'acme': queue full.",
  });
});

test('a tenant has its own places and what is free of the reserve, which all share', async () => {
  const { bulkhead, start } = scene({ concurrency: 10, perTenant: 2, reserve: 1 });
  for (let i = 0; i < 3; i += 1) void start('greedy');
  await expect(start('greedy')).resolves.toBe('queue-full');
  void start('other');
  void start('other');
  await expect(start('other')).resolves.toBe('queue-full');
  expect(bulkhead.getState()).toMatchObject({ running: 5, borrowed: 1 });
});

test('in the queue tenants take turns', async () => {
  const { calls, start } = scene({ concurrency: 1, queue: 10, queueWait: '1m' });
  const answers = ['a', 'a', 'a', 'a', 'b', 'c', 'b'].map((tenant) => start(tenant));
  for (const _ of answers) await calls.endNext();
  await Promise.all(answers);
  expect(calls.begun.join('')).toBe('aabcaba');
});

test('a tenant’s queue is bounded as well', async () => {
  const { calls, start } = scene({ concurrency: 1, queue: 10, queuePerTenant: 1, queueWait: '1m' });
  const kept = [start('a'), start('a'), start('b')];
  await expect(start('a')).resolves.toBe('tenant-queue-full');
  for (const _ of kept) await calls.endNext();
  await Promise.all(kept);
});

test('who waits too long is refused and leaves the queue', async () => {
  const { calls, bulkhead, start } = scene({ concurrency: 1, queue: 5, queueWait: 10 });
  const running = start('a');
  await expect(start('b')).resolves.toBe('waited-too-long');
  expect(bulkhead.getState().waiting).toBe(0);
  await calls.endNext();
  await running;
  expect(calls.begun).toEqual(['a']);
});

test('who gives up while waiting leaves the queue and is never begun', async () => {
  const { calls, bulkhead, start } = scene({ concurrency: 1, queue: 5, queueWait: '1m' });
  const running = start('a');
  const abort = new AbortController();
  const waiting = bulkhead.execute(calls.call('gone'), abort.signal);
  await turns();
  abort.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await calls.endNext();
  await running;
  expect(calls.begun).toEqual(['a']);
});

test('a call keeps its place until it has ended, not until its caller has given up', async () => {
  const { calls, bulkhead } = scene({ concurrency: 1 });
  const abort = new AbortController();
  const answer = bulkhead.execute(calls.call('a'), abort.signal);
  await turns();
  abort.abort(new Error('gone'));
  await expect(answer).rejects.toThrow('gone');
  expect(bulkhead.getState().running).toBe(1);
  await calls.endNext();
  expect(bulkhead.getState().running).toBe(0);
});

test('a call that never ends gives its place up after the limit, and ending late frees nobody else’s (5)', async () => {
  const clock = new ManualClock();
  const { calls, bulkhead, start } = scene({ concurrency: 1, holdLimit: '1m', clock: clock.read });
  void start('lost');
  await turns();
  clock.advance(60_000);
  const next = start('next');
  await turns();
  expect(calls.begun).toEqual(['lost', 'next']);
  await calls.endNext();
  expect(bulkhead.getState()).toMatchObject({ running: 1, abandoned: 1 });
  await calls.endNext();
  await next;
  expect(bulkhead.getState().running).toBe(0);
});

test.each<[string, BulkheadOptions]>([
  ['concurrency', { concurrency: 0 }],
  ['perTenant', { concurrency: 2, perTenant: 3 }],
  ['reserve', { concurrency: 2, reserve: -1 }],
  ['queue', { concurrency: 2, queue: 0.5 }],
  ['queueWait', { concurrency: 2, queueWait: 0 }],
  ['adaptive.maximum', { concurrency: 2, adaptive: { minimum: 5, maximum: 4 } }],
])('%s: nonsense is refused (9)', (option, options) => expect(() => new Bulkhead(options)).toThrow(option));

test('whatever calls come and go: no limit is passed, nobody is forgotten, no place stays empty', async () => {
  const step = fc.oneof(
    fc.constantFrom('a', 'b', 'c').map((tenant) => ({ begin: tenant })),
    fc.constant({ end: true }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        concurrency: fc.integer({ min: 2, max: 5 }),
        perTenant: fc.integer({ min: 1, max: 2 }),
        reserve: fc.integer({ min: 0, max: 2 }),
        queue: fc.integer({ min: 0, max: 4 }),
      }),
      fc.array(step, { maxLength: 60 }),
      async (rules, steps) => {
        const bulkhead = new Bulkhead({ ...rules, queueWait: '1h' });
        const running: { tenant: string; end: () => void }[] = [];
        const answers: Promise<unknown>[] = [];
        let ended = 0;
        let refused = 0;
        for (const action of steps) {
          if ('begin' in action) {
            const tenant = action.begin;
            const call = () =>
              new Promise<void>((resolve) => {
                running.push({ tenant, end: resolve });
              });
            answers.push(
              bulkhead
                .of(tenant)
                .execute(call)
                .then(
                  () => {
                    ended += 1;
                  },
                  () => {
                    refused += 1;
                  },
                ),
            );
          } else running.shift()?.end();
          await turns();
          const of = (tenant: string) => running.filter((call) => call.tenant === tenant).length;
          const borrowed = ['a', 'b', 'c'].reduce((sum, t) => sum + Math.max(0, of(t) - rules.perTenant), 0);
          const state = bulkhead.getState();
          expect(state.running).toBe(running.length);
          expect(running.length).toBeLessThanOrEqual(rules.concurrency);
          expect(borrowed).toBeLessThanOrEqual(rules.reserve);
          expect(state.borrowed).toBe(borrowed);
          expect(state.waiting).toBeLessThanOrEqual(rules.queue);
          expect(running.length + state.waiting + ended + refused).toBe(answers.length);
        }
        while (running.length > 0) {
          running.shift()?.end();
          await turns();
        }
        await Promise.all(answers);
        expect(bulkhead.getState()).toMatchObject({ running: 0, borrowed: 0, waiting: 0 });
      },
    ),
    { numRuns: 100 },
  );
});

test('a queue gives every item once and passes over who may not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c')),
      fc.constantFrom('a', 'b', 'c'),
      (tenants, blocked) => {
        const queue = new FairQueue<{ tenant: string }>();
        for (const tenant of tenants) queue.add(tenant, { tenant });
        const taken: string[] = [];
        for (let item = queue.take((t) => t !== blocked); item; item = queue.take((t) => t !== blocked))
          taken.push(item.tenant);
        expect(taken.sort()).toEqual(tenants.filter((tenant) => tenant !== blocked).sort());
        expect(queue.size).toBe(queue.sizeOf(blocked));
      },
    ),
  );
});

describe('adaptive concurrency', () => {
  const bounds = { minimum: 4, maximum: 200 };
  const run = (from: Gradient, samples: number, ms: (limit: number) => number): Gradient => {
    let gradient = from;
    for (let i = 0; i < samples; i += 1) {
      const running = Math.floor(gradient.limit);
      gradient = nextGradient(gradient, { ms: ms(running), running, dropped: false }, bounds);
    }
    return gradient;
  };

  test('grows while answers stay fast, falls when they queue, and finds about what the resource can do', () => {
    // A resource with 40 workers of 10 ms each: what is beyond them waits.
    const answer = (running: number) => 10 * Math.max(1, running / 40);
    const found = run({ limit: 10, noLoadMs: 0, samples: 0 }, 3_000, answer).limit;
    expect(found).toBeGreaterThanOrEqual(40);
    expect(found).toBeLessThan(120);
    expect(run({ limit: 10, noLoadMs: 0, samples: 0 }, 400, () => 10).limit).toBe(200);
    // 100 samples after a probe it is there again.
    const probed = run({ limit: found, noLoadMs: 10, samples: 1_000 }, 100, answer).limit;
    expect(probed).toBeGreaterThanOrEqual(40);
    expect(run({ limit: 100, noLoadMs: 10, samples: 0 }, 20, () => 200).limit).toBeLessThan(50);
  });

  test('does not grow unused, and steps down on drops', () => {
    expect(
      nextGradient({ limit: 100, noLoadMs: 10, samples: 0 }, { ms: 10, running: 3, dropped: false }, bounds)
        .limit,
    ).toBe(100);
    expect(
      nextGradient({ limit: 100, noLoadMs: 10, samples: 0 }, { ms: 10, running: 100, dropped: true }, bounds)
        .limit,
    ).toBe(90);
  });

  test('keeps to its bounds for any samples', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
            running: fc.nat(500),
            dropped: fc.boolean(),
          }),
        ),
        (samples) => {
          let gradient: Gradient = { limit: 20, noLoadMs: 0, samples: 0 };
          for (const sample of samples) {
            gradient = nextGradient(gradient, sample, bounds);
            expect(gradient.limit).toBeGreaterThanOrEqual(bounds.minimum);
            expect(gradient.limit).toBeLessThanOrEqual(bounds.maximum);
          }
        },
      ),
    );
  });

  test('moves the bulkhead’s number of places', async () => {
    const bulkhead = new Bulkhead({
      concurrency: 4,
      adaptive: { minimum: 2, maximum: 50 },
      clock: new ManualClock().read,
    });
    for (let round = 0; round < 30; round += 1) {
      const { concurrency } = bulkhead.getState();
      await Promise.all(Array.from({ length: concurrency }, () => bulkhead.execute(() => turns())));
    }
    expect(bulkhead.getState().concurrency).toBeGreaterThan(4);
  });
});
