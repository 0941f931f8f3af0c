import fc from 'fast-check';
import { EndpointSet, HealthMonitor, type HealthOptions, healthAnswer } from '../../core/health';
import {
  type ComponentState,
  DEFAULT_DAMPING,
  initialState,
  neededToRecover,
  observe,
} from '../../core/health/damping.pure';
import { METRIC, Metrics } from '../../core/metrics';

function monitor(checks: HealthOptions['checks'], options: Partial<HealthOptions> = {}) {
  const metrics = new Metrics();
  return { metrics, health: new HealthMonitor({ checks, metrics, ...options }) };
}
const bad = () => {
  throw new Error('no route to it');
};
const times = async (count: number, work: () => Promise<unknown>) => {
  for (let n = 0; n < count; n += 1) await work();
};

describe('damping', () => {
  test('down only after failures in a row, up only after enough successes in a row (1)', () => {
    const results = fc.array(fc.record({ ok: fc.boolean(), gap: fc.nat(60_000) }), { maxLength: 200 });
    fc.assert(
      fc.property(results, (stream) => {
        let state: ComponentState = initialState(0);
        let now = 0;
        let streak: { ok: boolean; length: number } = { ok: true, length: 0 };
        for (const { ok, gap } of stream) {
          now += gap;
          streak = ok === streak.ok ? { ok, length: streak.length + 1 } : { ok, length: 1 };
          const before = state;
          state = observe(state, ok, now);
          if (before.up && !state.up)
            expect(streak).toEqual({ ok: false, length: DEFAULT_DAMPING.failAfter });
          if (!before.up && state.up) {
            expect(streak.ok).toBe(true);
            expect(streak.length).toBeGreaterThanOrEqual(DEFAULT_DAMPING.recoverAfter);
          }
        }
      }),
    );
  });

  test('what flaps needs more and more successes, and is forgiven later (1)', () => {
    let state = initialState(0);
    const fall = (now: number) => {
      for (let n = 0; n < 3; n += 1) state = observe(state, false, now);
    };
    const recover = (now: number) => {
      let count = 0;
      for (; !state.up; count += 1) state = observe(state, true, now);
      return count;
    };
    fall(1_000);
    expect(recover(2_000)).toBe(2);
    fall(3_000);
    expect(recover(4_000)).toBe(4);
    fall(5_000);
    expect(recover(6_000)).toBe(8);
    fall(60 * 60_000);
    expect(neededToRecover(state, DEFAULT_DAMPING)).toBe(2);
  });
});

describe('the monitor', () => {
  test('reports a component that is down with its reason and the changes before', async () => {
    let well = true;
    const { health, metrics } = monitor([{ name: 'db', check: () => (well ? undefined : bad()) }]);
    expect(health.report().status).toBe('starting');
    expect((await health.checkNow()).status).toBe('up');
    well = false;
    await times(2, () => health.checkNow());
    expect(health.report().ready).toBe(true);
    await health.checkNow();
    expect(health.report()).toMatchObject({
      status: 'down',
      live: true,
      ready: false,
      components: [{ name: 'db', up: false, reason: 'no route to it', history: [{ up: false }] }],
    });
    expect(health.score()).toBe(0);
    expect(await metrics.registry.metrics()).toContain(
      'chronawflow_health_check_failures_total{component="db"} 3',
    );
    expect(await metrics.registry.getSingleMetricAsString(METRIC.healthUp)).toContain('{component="db"} 0');
    well = true;
    await times(2, () => health.checkNow());
    expect(health.report().components[0]?.history.map(({ up }) => up)).toEqual([false, true]);
  });

  test('a component that is not critical degrades, and leaves the process ready', async () => {
    const { health } = monitor([
      { name: 'cache', check: bad, critical: false, failAfter: 1 },
      { name: 'db', check: () => undefined },
    ]);
    expect(await health.checkNow()).toMatchObject({ status: 'degraded', ready: true });
    expect(health.score()).toBe(0.5);
  });

  test('liveness alone decides /healthz (3)', async () => {
    const { health } = monitor([{ name: 'db', check: bad, failAfter: 1 }]);
    await health.checkNow();
    expect(healthAnswer('/healthz', health)?.status).toBe(200);
    expect(healthAnswer('/readyz', health)?.status).toBe(503);
    expect(healthAnswer('/else', health)).toBeUndefined();
    const stuck = monitor([{ name: 'loop', kind: 'liveness', check: bad, failAfter: 1 }]).health;
    await stuck.checkNow();
    expect(healthAnswer('/healthz', stuck)?.status).toBe(503);
  });

  test('a check that never settles fails, is told to stop, and is not started again (2)', async () => {
    let started = 0;
    let signal: AbortSignal | undefined;
    const { health } = monitor([
      {
        name: 'stuck',
        timeout: 20,
        check: (given) => {
          started += 1;
          signal = given;
          return new Promise(() => undefined);
        },
      },
    ]);
    await times(3, () => health.checkNow());
    expect(started).toBe(1);
    expect(signal?.aborted).toBe(true);
    expect(health.report().components[0]).toMatchObject({
      up: false,
      reason: expect.stringContaining('20 ms'),
    });
  });

  test.each([
    ['throws at once', bad],
    ['rejects with no error', () => Promise.reject(undefined)],
    ['rejects with text', () => Promise.reject('text')],
  ])('a check that %s is a failure and nothing more', async (_name, check) => {
    const { health } = monitor([{ name: 'x', check, failAfter: 1 }]);
    expect((await health.checkNow()).components[0]?.up).toBe(false);
  });

  test('a listener that throws does not stop the checks', async () => {
    const { health } = monitor([{ name: 'x', check: bad, failAfter: 1 }], { onChange: bad });
    expect((await health.checkNow()).status).toBe('down');
  });

  test.each([
    ['checks.0.name', [{ name: '', check: bad }]],
    ['checks.0.check', [{ name: 'x', check: 'select 1' }]],
    ['checks.0.timeout', [{ name: 'x', check: bad, timeout: 0 }]],
    ['checks.0.failAfter', [{ name: 'x', check: bad, failAfter: 0.5 }]],
    [
      'checks',
      [
        { name: 'x', check: bad },
        { name: 'x', check: bad },
      ],
    ],
  ])('nonsense is refused by its name: %s', (option, checks) => {
    expect(() => Reflect.construct(HealthMonitor, [{ checks, metrics: new Metrics() }])).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(option) }),
    );
  });
});

describe('endpoints', () => {
  const endpoints = ['a', 'b', 'c', 'd'];

  test('one that fails is left out, longer each time, and comes back slowly (5, 6)', () => {
    let now = 1e6;
    const set = new EndpointSet({ endpoints, clock: () => now });
    const fail = () => {
      for (let n = 0; n < 5; n += 1) set.answered('a', { ok: false, ms: 5 });
    };
    fail();
    expect(set.out()).toEqual(['a']);
    for (let n = 0; n < 200; n += 1) expect(set.choose()).not.toBe('a');
    now += 30_001;
    expect(set.out()).toEqual([]);
    const part = () => {
      let count = 0;
      for (let n = 0; n < 2_000; n += 1) {
        const chosen = set.choose();
        if (chosen === 'a') count += 1;
        set.answered(chosen, { ok: true, ms: 5 });
      }
      return count / 2_000;
    };
    for (const name of ['b', 'c', 'd'])
      for (let n = 0; n < 600; n += 1) set.answered(name, { ok: true, ms: 5 });
    const atFirst = part();
    now += 31_000;
    expect(part()).toBeGreaterThan(atFirst);
    fail();
    now += 31_000;
    expect(set.out()).toEqual(['a']);
    now += 30_000;
    expect(set.out()).toEqual([]);
  });

  test('never more than half are out, and when all fail all are used (5)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.constantFrom(...endpoints), ok: fc.boolean() })),
        (answers) => {
          const set = new EndpointSet({ endpoints, clock: () => 0 });
          for (const { name, ok } of answers) {
            set.answered(name, { ok, ms: 1 });
            expect(set.out().length).toBeLessThanOrEqual(2);
            expect(endpoints).toContain(set.choose());
          }
        },
      ),
    );
  });

  test('the busier of two is not asked, whatever the chance', () => {
    const set = new EndpointSet({ endpoints: ['a', 'b'], clock: () => 1e6 });
    const chosen = Array.from({ length: 100 }, () => set.choose());
    expect(chosen.filter((name) => name === 'a')).toHaveLength(50);
  });

  test('execute reports the outcome and passes the error on as it is', async () => {
    const set = new EndpointSet({ endpoints: ['a', 'b'], outlier: { failAfter: 1 } });
    const error = new Error('503');
    await expect(set.execute(() => Promise.reject(error))).rejects.toBe(error);
    expect(set.out()).toHaveLength(1);
    await expect(set.execute((endpoint) => endpoint)).resolves.not.toBe(set.out()[0]);
  });

  test.each([
    ['endpoints', { endpoints: [] }],
    ['outlier.mostOut', { endpoints: ['a'], outlier: { mostOut: 2 } }],
    ['outlier.baseMs', { endpoints: ['a'], outlier: { baseMs: Number.NaN } }],
  ])('nonsense is refused by its name: %s', (option, options) => {
    expect(() => new EndpointSet(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(option) }),
    );
  });
});
