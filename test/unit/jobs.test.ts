import fc from 'fast-check';
import { z } from 'zod';
import { InvalidInputError } from '../../core/errors';
import { defineJob, fairnessKey, jobsByType, jobWorkflowId } from '../../core/jobs';
import { afterAttempt } from '../../core/jobs/after-attempt.pure';
import { Batcher } from '../../core/jobs/batcher';
import { describeFailure } from '../../core/jobs/describe-failure';
import {
  agedLevel,
  type Candidate,
  type InFlight,
  pickFairly,
  type Shares,
} from '../../core/jobs/pick-fairly.pure';
import { retryDelayMs } from '../../core/jobs/retry-delay.pure';
import { roomFor } from '../../core/jobs/room.pure';
import type { RetryPolicy } from '../../core/jobs/types';

const POLICY: RetryPolicy = {
  maxAttempts: 3,
  initialMs: 100,
  factor: 2,
  maxMs: 1_000,
  nonRetryable: ['NOPE'],
};
const random = fc.double({ min: 0, max: 1, noNaN: true });

test('a retry comes within the exponential bound, and never before the error’s own time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), random, fc.nat({ max: 5_000 }), (attempt, share, after) => {
      const bound = Math.min(1_000, 100 * 2 ** (attempt - 1));
      const delay = retryDelayMs(POLICY, attempt, share, after);
      expect(delay).toBeGreaterThanOrEqual(after);
      expect(delay).toBeLessThanOrEqual(Math.max(bound, after));
    }),
  );
});

test('full jitter uses the whole range, from at once to the bound', () => {
  expect(retryDelayMs(POLICY, 3, 0)).toBe(0);
  expect(retryDelayMs(POLICY, 3, 1)).toBe(400);
  expect(retryDelayMs(POLICY, 3, 0.5)).toBe(200);
});

test('a job dies by its last attempt or a final error, and by nothing else; a freeze never counts', () => {
  const failure = fc.record({
    code: fc.constantFrom('TF001', 'NOPE', 'OTHER'),
    final: fc.boolean(),
    attempt: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(failure, random, ({ code, final, attempt }, share) => {
      const next = afterAttempt(POLICY, attempt, { code, names: [code], message: '', final }, share);
      if (code === 'TF001') expect(next.kind).toBe('thaw');
      else expect(next.kind === 'dead').toBe(final || code === 'NOPE' || attempt >= 3);
    }),
  );
});

test('waiting lifts a job by levels, never above level 2 nor below its own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), (priority, waited) => {
      const level = agedLevel(priority, waited, 60_000);
      expect(level).toBeLessThanOrEqual(priority);
      expect(level).toBeGreaterThanOrEqual(Math.min(priority, 2));
    }),
  );
  expect([0, 59_999, 60_000, 120_000, 600_000].map((ms) => agedLevel(5, ms, 60_000))).toEqual([
    5, 5, 4, 3, 2,
  ]);
});

const tenant = fc.constantFrom('a', 'b', 'c');
const type = fc.constantFrom('x', 'y');
const candidates = fc
  .array(
    fc.record({ tenant, type, priority: fc.integer({ min: 1, max: 5 }), waitedMs: fc.nat({ max: 300_000 }) }),
    { maxLength: 40 },
  )
  .map((list): Candidate[] => list.map((one, seq) => ({ ...one, key: `k${seq}`, seq, suspect: false })));
const inFlight: fc.Arbitrary<InFlight[]> = fc.uniqueArray(
  fc.record({ tenant, type, count: fc.integer({ min: 0, max: 4 }) }),
  { selector: (row) => `${row.tenant} ${row.type}` },
);
const caps = fc.record({
  tenant: fc.integer({ min: 0, max: 8 }),
  type: fc.integer({ min: 0, max: 12 }),
  pair: fc.integer({ min: 0, max: 6 }),
  weight: fc.constantFrom(1, 2, 0.5),
});

function sharesOf(given: { tenant: number; type: number; pair: number; weight: number }): Shares {
  return {
    ageingMs: 60_000,
    tenantCap: () => given.tenant,
    typeCap: () => given.type,
    tenantTypeCap: () => given.pair,
    weight: (name) => (name === 'a' ? given.weight : 1),
  };
}

const count = (jobs: readonly { tenant: string; type: string }[], load: readonly InFlight[]) => {
  const of = (match: (one: { tenant: string; type: string }) => boolean) =>
    jobs.filter(match).length + load.filter(match).reduce((sum, row) => sum + row.count, 0);
  return {
    tenant: (name: string) => of((one) => one.tenant === name),
    type: (name: string) => of((one) => one.type === name),
    pair: (t: string, y: string) => of((one) => one.tenant === t && one.type === y),
  };
};

test('no pick breaks a cap, and nothing that every cap allows is left while there is room (invariant 2)', () => {
  fc.assert(
    fc.property(candidates, inFlight, caps, fc.nat({ max: 20 }), (waiting, load, given, room) => {
      const picked = pickFairly(waiting, load, sharesOf(given), { jobs: room });
      const after = count(picked, load);
      const before = count([], load);
      expect(picked.length).toBeLessThanOrEqual(room);
      expect(new Set(picked).size).toBe(picked.length);
      for (const { tenant: t, type: y } of picked) {
        expect(after.tenant(t)).toBeLessThanOrEqual(Math.max(given.tenant, before.tenant(t)));
        expect(after.type(y)).toBeLessThanOrEqual(Math.max(given.type, before.type(y)));
        expect(after.pair(t, y)).toBeLessThanOrEqual(Math.max(given.pair, before.pair(t, y)));
      }
      if (picked.length < room) {
        const left = waiting.filter((one) => !picked.includes(one));
        for (const { tenant: t, type: y } of left) {
          expect(
            after.tenant(t) < given.tenant && after.type(y) < given.type && after.pair(t, y) < given.pair,
          ).toBe(false);
        }
      }
    }),
  );
});

test('a tenant never gets a slot while one with a smaller share waits for it (invariant 5)', () => {
  const open: Shares = sharesOf({ tenant: 99, type: 99, pair: 99, weight: 1 });
  fc.assert(
    fc.property(candidates, inFlight, fc.nat({ max: 20 }), (waiting, load, room) => {
      const picked = pickFairly(waiting, load, open, { jobs: room });
      picked.forEach((one, index) => {
        const share = count(picked.slice(0, index), load);
        for (const other of waiting.filter((job) => !picked.slice(0, index).includes(job))) {
          expect(share.tenant(one.tenant)).toBeLessThanOrEqual(share.tenant(other.tenant));
        }
      });
    }),
  );
});

test('spreading jobs over types and calling them urgent gains a tenant nothing (invariant 5)', () => {
  const open = sharesOf({ tenant: 99, type: 99, pair: 99, weight: 1 });
  const job = (t: string, seq: number, y = 'x', priority = 3): Candidate => ({
    tenant: t,
    type: y,
    key: `${t}${seq}`,
    priority,
    waitedMs: 0,
    seq,
    suspect: false,
  });
  const greedy = Array.from({ length: 50 }, (_, n) => job('a', n, `type${n}`, 1));
  const modest = Array.from({ length: 50 }, (_, n) => job('b', 100 + n, 'x', 5));
  const picked = pickFairly([...greedy, ...modest], [], open, { jobs: 20 });
  expect(picked.filter((one) => one.tenant === 'a')).toHaveLength(10);
});

test('within a tenant the more urgent comes first, then the older (invariant 6)', () => {
  const open = sharesOf({ tenant: 99, type: 99, pair: 99, weight: 1 });
  fc.assert(
    fc.property(candidates, (waiting) => {
      const mine = waiting.map((one) => ({ ...one, tenant: 'a' }));
      const levels = pickFairly(mine, [], open, { jobs: 100 }).map((one) =>
        agedLevel(one.priority, one.waitedMs, 60_000),
      );
      expect(levels).toEqual([...levels].sort((a, b) => a - b));
    }),
  );
});

test('a batcher runs what comes together in one go, in order, and gives each its own answer', async () => {
  const batches: number[][] = [];
  const batcher = new Batcher<number, number>(async (items) => {
    batches.push([...items]);
    return items.map((item) => item * 10);
  }, 3);
  expect(await Promise.all([1, 2, 3, 4].map((n) => batcher.do(n)))).toEqual([10, 20, 30, 40]);
  expect(batches).toEqual([[1, 2, 3], [4]]);
  expect(await batcher.do(5)).toBe(50);
});

test('a batch that fails fails for each of its callers, and the next one runs', async () => {
  let broken = true;
  const batcher = new Batcher<number, number>(async (items) => {
    if (broken) throw new Error('away');
    return items;
  });
  const results = await Promise.allSettled([batcher.do(1), batcher.do(2)]);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
  broken = false;
  expect(await batcher.do(3)).toBe(3);
});

test('a fairness key has at most 64 bytes, and long tenants differ', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (name) => {
      expect(Buffer.byteLength(fairnessKey(name))).toBeLessThanOrEqual(64);
    }),
  );
  expect(fairnessKey(`${'x'.repeat(100)}1`)).not.toBe(fairnessKey(`${'x'.repeat(100)}2`));
});

test('jobs of different tenants, types and keys never share a workflow', () => {
  const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
  const ref = fc.record({ tenant: part, type: part, key: part });
  fc.assert(
    fc.property(ref, ref, (a, b) => {
      fc.pre(JSON.stringify(a) !== JSON.stringify(b));
      expect(jobWorkflowId(a)).not.toBe(jobWorkflowId(b));
    }),
  );
});

test.each([
  ['a class', new RangeError('x'), { code: 'RangeError', names: ['RangeError'], final: false }],
  ['a code', Object.assign(new Error('x'), { code: '23505' }), { code: '23505', names: ['23505', 'Error'] }],
  ['our refusal', new InvalidInputError('x'), { code: 'INVALID_INPUT', final: true }],
  ['nonRetryable', Object.assign(new Error('x'), { nonRetryable: true }), { final: true }],
  ['retryAfter text', Object.assign(new Error('x'), { retryAfter: '30s' }), { retryAfterMs: 30_000 }],
  ['retryAfterMs', Object.assign(new Error('x'), { retryAfterMs: 5 }), { retryAfterMs: 5 }],
  ['the freeze, deep inside', new Error('x', { cause: { code: 'TF001' } }), { code: 'TF001' }],
  ['text', 'oops', { code: 'string', message: 'oops' }],
  ['undefined', undefined, { code: 'undefined' }],
])('an error is described by %s', (_, thrown, expected) => {
  expect(describeFailure(thrown)).toMatchObject(expected);
});

test('what a job is made of is checked when it is defined', () => {
  const input = z.null();
  const run = async () => null;
  expect(() => defineJob({ type: 'a b', input, run })).toThrow(InvalidInputError);
  expect(() => defineJob({ type: 'a', input, run, timeout: 'soon' })).toThrow(InvalidInputError);
  expect(() => defineJob({ type: 'a', input, run, retry: { maxAttempts: 0 } })).toThrow(InvalidInputError);
  const one = defineJob({ type: 'a', input, run, timeout: '2m', retry: { initial: '3s' } });
  expect(one.policy).toMatchObject({
    timeoutMs: 120_000,
    priority: 3,
    retry: { initialMs: 3_000, maxAttempts: 5 },
  });
  expect(() => jobsByType([one, defineJob({ type: 'a', input, run })])).toThrow(InvalidInputError);
});

test('what is handed over fills the free slots and little more, and never goes over its limit', () => {
  const counts = fc.record({
    slots: fc.nat({ max: 200 }),
    handed: fc.nat({ max: 100 }),
    running: fc.nat({ max: 200 }),
    handedLimit: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(counts, ({ slots, handed, running, handedLimit }) => {
      const room = roomFor({ slots, handed, inFlight: handed + running, handedLimit });
      expect(room).toBeGreaterThanOrEqual(0);
      if (room > 0) {
        expect(handed + room).toBeLessThanOrEqual(handedLimit);
        expect(running + handed + room).toBeLessThanOrEqual(slots + Math.ceil(slots * 0.3));
      }
    }),
  );
  expect(roomFor({ slots: 10, handed: 0, inFlight: 0, handedLimit: 32 })).toBe(13);
  expect(roomFor({ slots: 10, handed: 3, inFlight: 13, handedLimit: 32 })).toBe(0);
  expect(roomFor({ slots: 0, handed: 0, inFlight: 0, handedLimit: 32 })).toBe(0);
});
