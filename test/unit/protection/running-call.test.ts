import { CircuitBreaker } from '../../../core/protection';

const never = () => new Promise<never>(() => undefined);

/** Calls both back: twice, and as both kinds. */
class Twice<T> extends Promise<T> {
  // biome-ignore lint/suspicious/noThenProperty: a promise that misbehaves is what is tried
  override then<A = T, B = never>(
    onAnswer?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    super.then(onAnswer, onError);
    super.then(onAnswer, onError);
    return super.then(onAnswer, onError);
  }
}

const many = (breaker: CircuitBreaker, calls: number, call: (n: number) => Promise<number>) =>
  Promise.allSettled(Array.from({ length: calls }, (_, n) => breaker.execute(() => call(n))));

describe('what a breaker remembers of running calls is used again, and', () => {
  test('each of very many calls at once counts once, for its own breaker, with its own answer', async () => {
    const breakers = [0, 1].map(
      () => new CircuitBreaker({ consecutiveFailures: false, failureRate: false, window: { calls: 5_000 } }),
    );
    for (let round = 0; round < 3; round += 1) {
      const rounds = await Promise.all(
        breakers.map((breaker, which) =>
          many(breaker, 600, async (n) => {
            for (let turn = n % 5; turn > 0; turn -= 1) await undefined;
            if (n % (which + 2) === 0) throw new Error(String(n));
            return n;
          }),
        ),
      );
      for (const [which, results] of rounds.entries()) {
        results.forEach((result, n) => {
          if (n % (which + 2) === 0) expect(result).toMatchObject({ reason: new Error(String(n)) });
          else expect(result).toEqual({ status: 'fulfilled', value: n });
        });
      }
    }
    expect(breakers.map((breaker) => breaker.getState())).toMatchObject([
      { calls: 1_800, failed: 900 },
      { calls: 1_800, failed: 600 },
    ]);
  });

  test('calls that never end keep what is theirs', async () => {
    const hung = new CircuitBreaker();
    const busy = new CircuitBreaker();
    for (let n = 0; n < 300; n += 1) void hung.execute(never);
    await many(busy, 50, async (n) => n);
    expect([hung.getState().calls, busy.getState().calls]).toEqual([0, 50]);
  });

  test('a promise that calls back twice counts once', async () => {
    const one = new CircuitBreaker();
    const other = new CircuitBreaker();
    for (let n = 0; n < 5; n += 1) {
      await one.execute(() => Twice.resolve(n));
      await other.execute(async () => n);
    }
    expect([one.getState().calls, other.getState().calls]).toEqual([5, 5]);
  });
});
