import { Metrics } from '../../core/metrics';
import { AdaptiveRateLimiter, GlobalRateLimits, type RuleInput } from '../../core/rate-limit';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

/** A bucket that two processes share, both of them in this one. */

const GLOBAL = { localShare: 0.5 };

let postgres: RealPostgres;
const open: GlobalRateLimits[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  await applyMigrations(await postgres.createDatabase('platform'), 'platform');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => postgres?.stop());

function limiters(rule: RuleInput): [AdaptiveRateLimiter, AdaptiveRateLimiter] {
  const made = () => {
    const global = new GlobalRateLimits({
      connection: postgres.connection('platform'),
      timeoutMs: 10_000,
      maxWaitMs: 10_000,
    });
    open.push(global);
    return new AdaptiveRateLimiter({ rule, global, metrics: new Metrics() });
  };
  return [made(), made()];
}

test('holds a burst for whoever comes first, and is one bucket for both', async () => {
  // So slow that nothing comes back during the test.
  const [one, other] = limiters({
    kind: 'token-bucket',
    capacity: 1_000,
    refillPerSecond: 0.01,
    global: GLOBAL,
  });
  expect(await one.checkRateLimit('burst', 'r', 900)).toMatchObject({ allowed: true });
  // On a busy machine the first one takes more than it needs, and gives that back in a moment.
  await until(async () => (await other.checkRateLimit('burst', 'r', 90)).allowed);
  const refused = await other.checkRateLimit('burst', 'r', 90);
  expect(refused).toMatchObject({ allowed: false, limit: 1_000, reason: 'exceeded' });
  // 90 of them come back in 9,000 s.
  expect(refused.retryAfterMs).toBeCloseTo(9_000_000, -3);
  expect(await one.checkRateLimit('burst', 'r', 1_001)).toMatchObject({
    retryAfterMs: Number.POSITIVE_INFINITY,
  });
});

test('a request that is too expensive keeps no cheaper one out', async () => {
  const [one, other] = limiters({
    kind: 'token-bucket',
    capacity: 1_000,
    refillPerSecond: 0.01,
    global: GLOBAL,
  });
  await one.checkRateLimit('mixed', 'r', 900);
  await until(async () => (await other.checkRateLimit('mixed', 'r', 50)).allowed);
  expect((await other.checkRateLimit('mixed', 'r', 500)).allowed).toBe(false);
  await until(async () => (await other.checkRateLimit('mixed', 'r', 40)).allowed);
});

test('a request that does not fit takes nothing from the bucket until it does', async () => {
  const [one] = limiters({ kind: 'token-bucket', capacity: 200, refillPerSecond: 100, global: GLOBAL });
  const large = () => until(async () => (await one.checkRateLimit('large', 'r', 150)).allowed);
  // Its tokens are for a slot of 33 ms, and may come when that is over.
  const began = performance.now();
  await large();
  // 100 more have to come back: were every try to burn what there is, it would never fit.
  await large();
  expect(performance.now() - began).toBeGreaterThan(750);
});

test('a rule that becomes a bucket begins with an empty one at most', async () => {
  const [one] = limiters({ kind: 'fixed-window', limit: 100_000, window: '1h', global: GLOBAL });
  expect((await one.checkRateLimit('changed', 'r', 90_000)).allowed).toBe(true);
  one.configureTenant('changed', {
    // Full after 50 s, and half-way to the small request in a second.
    rule: { kind: 'token-bucket', capacity: 1_000, refillPerSecond: 20, global: GLOBAL },
  });
  expect((await one.checkRateLimit('changed', 'r', 1_000)).allowed).toBe(false);
  await until(async () => (await one.checkRateLimit('changed', 'r', 50)).allowed);
});
