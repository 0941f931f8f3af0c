import fc from 'fast-check';
import { perSecond } from '../../client/cli/jobs/options';
import { type Ends, judgeFailures } from '../../core/jobs/judge-failures.pure';
import { type Candidate, pickFairly, type Shares } from '../../core/jobs/pick-fairly.pure';
import { allowanceOf, concerns, nextInMs, type Release } from '../../core/jobs/release-allowance.pure';

const RULE = { share: 0.8, minEnds: 20 };
const tenant = fc.constantFrom('a', 'b', 'c');
const type = fc.constantFrom('x', 'y', 'z');
const ends: fc.Arbitrary<Ends[]> = fc.uniqueArray(
  fc.record({ tenant, type, succeeded: fc.nat({ max: 40 }), failed: fc.nat({ max: 60 }) }),
  { selector: (one) => `${one.tenant} ${one.type}` },
);

const failing = (list: readonly Ends[]) => {
  const failed = list.reduce((sum, one) => sum + one.failed, 0);
  const all = failed + list.reduce((sum, one) => sum + one.succeeded, 0);
  return all >= RULE.minEnds && failed / all >= RULE.share;
};

test('nothing is held without enough ends, without the share, or twice (invariant 13)', () => {
  fc.assert(
    fc.property(ends, (all) => {
      const verdicts = judgeFailures(all, RULE);
      for (const { ends: count, failed } of verdicts) {
        expect(count).toBeGreaterThanOrEqual(RULE.minEnds);
        expect(failed / count).toBeGreaterThanOrEqual(RULE.share);
      }
      expect(new Set(verdicts.map((one) => `${one.tenant} ${one.type}`)).size).toBe(verdicts.length);
    }),
  );
});

test('a tenant’s type is held exactly when it fails and does not fail for the others', () => {
  fc.assert(
    fc.property(ends, (all) => {
      const held = new Set(judgeFailures(all, RULE).map((one) => `${one.tenant} ${one.type}`));
      for (const one of all) {
        const others = all.filter((other) => other.tenant !== one.tenant && other.type === one.type);
        expect(held.has(`${one.tenant} ${one.type}`)).toBe(failing([one]) && !failing(others));
      }
    }),
  );
});

test('a whole tenant is held for what is left of it, never for one type, nor when all tenants fail', () => {
  fc.assert(
    fc.property(ends, (all) => {
      const verdicts = judgeFailures(all, RULE);
      for (const one of verdicts.filter((verdict) => verdict.type === '')) {
        const own = all.filter((other) => other.tenant === one.tenant);
        const rest = own.filter(
          (other) => !verdicts.some((held) => held.tenant === one.tenant && held.type === other.type),
        );
        expect(rest.length).toBeGreaterThan(1);
        expect(failing(rest)).toBe(true);
        expect(failing(all.filter((other) => other.tenant !== one.tenant))).toBe(false);
      }
    }),
  );
});

test('an outage that all tenants share holds nobody, and one of many types spread thin holds the tenant', () => {
  const bad = (t: string, y: string, failed: number, succeeded = 0): Ends => ({
    tenant: t,
    type: y,
    succeeded,
    failed,
  });
  expect(judgeFailures([bad('a', 'x', 50), bad('b', 'x', 50), bad('c', 'x', 50)], RULE)).toEqual([]);
  expect(judgeFailures([bad('a', 'x', 50), bad('b', 'x', 0, 50)], RULE)).toMatchObject([
    { tenant: 'a', type: 'x', ends: 50, failed: 50 },
  ]);
  const thin = ['x', 'y', 'z'].map((y) => bad('a', y, 10));
  expect(judgeFailures([...thin, bad('b', 'x', 0, 50)], RULE)).toMatchObject([{ tenant: 'a', type: '' }]);
});

test('a release lets no more go in any second than its rate and one burst, whenever it is asked', () => {
  const asks = fc.array(fc.record({ afterMs: fc.nat({ max: 3_000 }), wanted: fc.nat({ max: 30 }) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 100, noNaN: true }), asks, (rate, list) => {
      let now = 0;
      let next = 0;
      const went: number[] = [];
      for (const { afterMs, wanted } of list) {
        now += afterMs;
        const state = { perSecond: rate, dueMs: now - next };
        const taken = Math.min(wanted, allowanceOf(state));
        if (taken > 0) next = now + nextInMs(state, taken);
        for (let n = 0; n < taken; n += 1) went.push(now);
      }
      for (const [index, from] of went.entries()) {
        for (const [last, to] of went.entries()) {
          if (last < index) continue;
          const most = (rate * (to - from)) / 1_000 + rate + 1;
          expect(last - index + 1).toBeLessThanOrEqual(most + 1e-6);
        }
      }
    }),
  );
});

test('a release is never stuck: when its next job is due, one may go', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 1_000, noNaN: true }), fc.nat(), (rate, dueMs) => {
      expect(allowanceOf({ perSecond: rate, dueMs })).toBeGreaterThanOrEqual(1);
      expect(allowanceOf({ perSecond: rate, dueMs: -1 - dueMs })).toBe(0);
    }),
  );
});

const open: Shares = {
  ageingMs: 60_000,
  tenantCap: () => 99,
  typeCap: () => 99,
  tenantTypeCap: () => 99,
  weight: () => 1,
};

test('a pick takes of what is being released no more than its allowance, and of the rest everything', () => {
  const candidate = fc.record({ tenant, type });
  const place = fc.record({ tenant: fc.constantFrom('', 'a', 'b'), type: fc.constantFrom('', 'x', 'y') });
  const releases = fc.array(
    fc.record({ place, perSecond: fc.integer({ min: 1, max: 9 }), dueMs: fc.integer({ min: -9, max: 999 }) }),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 40 }), releases, (list, given) => {
      const waiting = list.map(
        (one, seq): Candidate => ({ ...one, key: `k${seq}`, seq, priority: 3, waitedMs: 0, suspect: false }),
      );
      const under = given.map((one): Release => ({ ...one.place, ...one, key: '', kind: 'quarantine' }));
      const picked = pickFairly(waiting, [], open, { jobs: 100, releases: under });
      for (const release of under)
        expect(picked.filter((job) => concerns(release, job)).length).toBeLessThanOrEqual(
          allowanceOf(release),
        );
      for (const job of waiting)
        if (!under.some((release) => concerns(release, job))) expect(picked).toContain(job);
    }),
  );
});

test.each([
  ['10/s', 10],
  ['30/m', 0.5],
  ['36/h', 0.01],
  ['2.5', 2.5],
])('a rate is read from %s', (text, expected) => {
  expect(perSecond(text)).toBeCloseTo(expected);
});

test('what is no rate is refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/^\s*[\d.]+(\/[smh])?\s*$/.test(text));
      expect(() => perSecond(text)).toThrow(/give a number/);
    }),
  );
  for (const text of ['0/s', '-1/s', '1..2/s', '1/d', '/s']) expect(() => perSecond(text)).toThrow();
});
