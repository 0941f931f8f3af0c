import fc from 'fast-check';
import { METRIC, Metrics } from '../../core/metrics';
import { AdaptiveRateLimiter, type RateLimiterOptions } from '../../core/rate-limit';
import { type AdaptiveState, adapt } from '../../core/rate-limit/adapt.pure';
import { Generations } from '../../core/rate-limit/generations';
import { type PenaltyState, scoreAt, violate } from '../../core/rate-limit/penalty.pure';

const DEFAULT_PENALTY = { baseMs: 1_000, maxMs: 15 * 60_000, halfLifeMs: 10 * 60_000 };
const RULE = { kind: 'fixed-window', limit: 3, window: '1s' } as const;

function limiter(options: Partial<RateLimiterOptions> = {}) {
  const time = { now: 0 };
  const metrics = new Metrics();
  const made = new AdaptiveRateLimiter({ rule: RULE, metrics, clock: () => time.now, ...options });
  return { made, time, metrics };
}

async function admitted(made: AdaptiveRateLimiter, tenant: string, tries: number, resource?: string) {
  let count = 0;
  for (let n = 0; n < tries; n += 1) if ((await made.checkRateLimit(tenant, resource)).allowed) count += 1;
  return count;
}

describe('checkRateLimit', () => {
  test('limits each tenant and each resource by itself', async () => {
    const { made } = limiter();
    expect(await admitted(made, 'a', 5)).toBe(3);
    expect(await admitted(made, 'b', 5)).toBe(3);
    expect(await admitted(made, 'a', 5, 'reports')).toBe(3);
  });

  test('answers with limit, remaining, reset and retry-after', async () => {
    const { made, time } = limiter();
    expect(await made.checkRateLimit('a', 'x', 2)).toMatchObject({
      allowed: true,
      limit: 3,
      remaining: 1,
      resetMs: 1_000,
      retryAfterMs: 0,
    });
    time.now = 400;
    expect(await made.checkRateLimit('a', 'x', 2)).toMatchObject({
      allowed: false,
      remaining: 1,
      retryAfterMs: 600,
      reason: 'exceeded',
    });
  });

  test('takes the cost of a named operation', async () => {
    const { made } = limiter({ costs: { export: 2 } });
    expect((await made.checkRateLimit('a', 'x', 'export')).remaining).toBe(1);
    await expect(made.checkRateLimit('a', 'x', 'import')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the cost %p', async (cost) => {
    await expect(limiter().made.checkRateLimit('a', 'x', cost)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { option: 'cost' },
    });
  });

  test('enforce throws an error that says when to come back', async () => {
    const { made } = limiter();
    await made.enforce('a', 'x', 3);
    await expect(made.enforce('a', 'x')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    await expect(made.enforce('b', 'x', 4)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: false });
  });

  test('counts its decisions', async () => {
    const { made, metrics } = limiter();
    await admitted(made, 'a', 5);
    expect(await metrics.registry.getSingleMetricAsString(METRIC.limiterDecisions)).toMatch(
      /tenant="a",resource="default",outcome="refused"} 2/,
    );
  });

  test('a million tenants that come once cost no more than those that are remembered (6)', async () => {
    const { made } = limiter({ maxTenants: 1_000 });
    for (let n = 0; n < 50_000; n += 1) await made.checkRateLimit(`t-${n}`, `r-${n}`);
    expect(Reflect.get(made, 'tenants').size).toBeLessThanOrEqual(1_000);
    for (let n = 0; n < 10_000; n += 1) await made.checkRateLimit('one', `r-${n}`);
    const one: unknown = Reflect.get(made, 'tenants').get('one', 0);
    expect(Reflect.get(Object(one), 'resources').size).toBeLessThanOrEqual(256);
  });
});

describe('configureTenant', () => {
  test('changes the limit at once, and what was admitted still counts', async () => {
    const { made } = limiter();
    expect(await admitted(made, 'a', 9)).toBe(3);
    made.configureTenant('a', { rule: { ...RULE, limit: 5 } });
    expect(await admitted(made, 'a', 9)).toBe(2);
    made.configureTenant('a', undefined);
    expect(await admitted(made, 'a', 9)).toBe(0);
  });

  test("a tenant's rule for a resource comes first, then its own, then everybody's", async () => {
    const { made } = limiter({ resources: { search: { ...RULE, limit: 7 } } });
    made.configureTenant('a', { rule: { ...RULE, limit: 4 }, resources: { reports: { ...RULE, limit: 1 } } });
    expect(await admitted(made, 'a', 9, 'reports')).toBe(1);
    expect(await admitted(made, 'a', 9, 'search')).toBe(4);
    expect(await admitted(made, 'b', 9, 'search')).toBe(7);
    expect(await admitted(made, 'b', 9)).toBe(3);
  });
});

describe('violations', () => {
  test('hold a tenant back, each longer than the last, and decay (5)', () => {
    const { made, time } = limiter();
    expect(made.handleViolation('a')).toBe(1_000);
    expect(made.handleViolation('a')).toBe(2_000);
    expect(made.handleViolation('a')).toBe(4_000);
    time.now = 24 * 3_600_000;
    expect(made.handleViolation('a')).toBeCloseTo(1_000, -1);
  });

  test('everything of the tenant is refused meanwhile, and nobody else (5)', async () => {
    const { made, time } = limiter();
    await made.checkRateLimit('a');
    made.handleViolation('a');
    expect(await made.checkRateLimit('a', 'other')).toMatchObject({
      allowed: false,
      reason: 'held',
      retryAfterMs: 1_000,
    });
    expect((await made.checkRateLimit('b')).allowed).toBe(true);
    time.now = 1_001;
    expect((await made.checkRateLimit('a', 'other')).allowed).toBe(true);
  });

  test('so many refusals within a window are a violation where that is set', async () => {
    const { made, metrics } = limiter({ penalty: { after: 4 } });
    await admitted(made, 'a', 6);
    expect((await made.checkRateLimit('a')).reason).toBe('exceeded');
    expect((await made.checkRateLimit('a')).reason).toBe('held');
    expect(await metrics.registry.getSingleMetricAsString(METRIC.limiterViolations)).toContain(
      '{tenant="a"} 1',
    );
  });

  test('the hold never shrinks, never passes its limit, and the score decays to nothing (5)', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(120_000), { minLength: 1, maxLength: 60 }), (gaps) => {
        let state: PenaltyState | undefined;
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const before = state?.heldUntil ?? 0;
          state = violate(state, now, DEFAULT_PENALTY);
          expect(state.heldUntil).toBeGreaterThanOrEqual(before);
          expect(state.heldUntil - now).toBeLessThanOrEqual(Math.max(DEFAULT_PENALTY.maxMs, before - now));
          expect(state.heldUntil - now).toBeGreaterThanOrEqual(DEFAULT_PENALTY.baseMs);
        }
        expect(scoreAt(state, now + 100 * DEFAULT_PENALTY.halfLifeMs, DEFAULT_PENALTY)).toBeLessThan(1e-20);
      }),
    );
  });
});

describe('an adaptive limit', () => {
  test('stays between floor and base, falls at once and rises slowly (4)', () => {
    const health = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(Number.NaN, -4, 9));
    const steps = fc.array(fc.record({ gap: fc.nat(30_000), health, violations: fc.nat(8) }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(steps, fc.double({ min: 0.01, max: 1, noNaN: true }), (stream, floor) => {
        let state: AdaptiveState | undefined;
        let now = 0;
        for (const { gap, ...signals } of stream) {
          now += gap;
          const before = state;
          state = adapt(state, signals, floor, now);
          expect(state.scale).toBeGreaterThanOrEqual(floor);
          expect(state.scale).toBeLessThanOrEqual(1);
          if (before !== undefined)
            expect(state.scale - before.scale).toBeLessThanOrEqual(gap / 20_000 + 1e-9);
        }
      }),
    );
  });

  test('follows the health of the system and the behaviour of the tenant', async () => {
    let health = 1;
    const rule = { kind: 'adaptive', base: { kind: 'fixed-window', limit: 100, window: '1s' } } as const;
    const { made, time } = limiter({ rule, health: () => health });
    expect(await admitted(made, 'a', 200)).toBe(100);
    health = 0.5;
    time.now = 2_000;
    expect(await admitted(made, 'a', 200)).toBe(50);
    health = 0;
    time.now = 4_000;
    expect(await admitted(made, 'a', 200)).toBe(10);
    health = 1;
    time.now = 60_000;
    expect(await admitted(made, 'a', 200)).toBe(100);
    made.handleViolation('a');
    time.now = 62_000;
    expect(await admitted(made, 'a', 200)).toBeLessThan(60);
    expect(await admitted(made, 'b', 200)).toBe(100);
  });
});

test('a health function that throws changes nothing', async () => {
  const health = () => {
    throw new Error('broken');
  };
  const rule = { kind: 'adaptive', base: RULE } as const;
  expect(await admitted(limiter({ rule, health }).made, 'a', 5)).toBe(3);
});

test.each([
  ['options.rule', { rule: undefined }],
  ['options.rule.limit', { rule: { ...RULE, limit: 0 } }],
  ['options.rule.limit', { rule: { ...RULE, limit: 1.5 } }],
  ['options.rule.window', { rule: { ...RULE, window: 'soon' } }],
  ['options.rule.kind', { rule: { ...RULE, kind: 'leaky' } }],
  ['options.resources.x.limit', { resources: { x: { ...RULE, limit: Number.NaN } } }],
  ['options.rule.floor', { rule: { kind: 'adaptive', base: RULE, floor: 2 } }],
  ['options.rule.window', { rule: { ...RULE, window: 500, global: { localShare: 0.25 } } }],
  ['options.global', { rule: { ...RULE, global: { localShare: 0.25 } } }],
  ['maxTenants', { maxTenants: 0 }],
  ['penalty.after', { penalty: { after: 0 } }],
  ['costs.x', { costs: { x: -1 } }],
])('nonsense is refused at construction by its name: %s (7)', (option, given) => {
  const options = Object.assign({ rule: RULE, metrics: new Metrics() }, given);
  expect(() => Reflect.construct(AdaptiveRateLimiter, [options])).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(option) }),
  );
});

test('two generations hold the most recently used half, and never more than their capacity (6)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(50), { maxLength: 400 }),
      fc.integer({ min: 2, max: 20 }),
      (keys, capacity) => {
        const map = new Generations<number>(capacity, 1e9);
        const recent: number[] = [];
        for (const key of keys) {
          if (map.get(`${key}`, 0) === undefined) map.set(`${key}`, key, 0);
          recent.unshift(key);
          expect(map.size).toBeLessThanOrEqual(capacity);
          const latest = [...new Set(recent)].slice(0, Math.floor(capacity / 2));
          for (const one of latest) expect([...map.values()]).toContain(one);
        }
      },
    ),
  );
});
