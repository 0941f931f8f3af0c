import fc from 'fast-check';
import type { Situation } from '../../core/rate-limit/global/lease-wish.pure';
import { planManyAhead } from '../../core/rate-limit/global/plan-many-ahead.pure';
import { planOneAhead } from '../../core/rate-limit/global/plan-one-ahead.pure';
import { slotsOf } from '../../core/rate-limit/global/slots.pure';

const rule = (window: number) => ({ kind: 'sliding-window', limit: 1_000, window, localShare: 1 }) as const;

function situation(over: Partial<Situation>, tokens: ReadonlyMap<number, number> = new Map()): Situation {
  return {
    slots: slotsOf(rule(1_000)),
    slot: 1_000,
    left: 10,
    rate: 0,
    waiting: 0,
    next: 0,
    sinceAsked: 500,
    askedUntil: Number.NEGATIVE_INFINITY,
    worthAsking: true,
    held: (slot) => tokens.get(slot) ?? 0,
    ...over,
  };
}

const sum = (tokens: readonly number[] = []) => tokens.reduce((total, one) => total + one, 0);

describe('slots', () => {
  test('a window of any length has slots that any process cuts alike, and leases for no more than it has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 31_536_000_000 }), (window) => {
        const slots = slotsOf(rule(window));
        expect(slots.slotMs).toBeGreaterThanOrEqual(25);
        expect(slots.back / (slots.back + 1)).toBeGreaterThan(0.975);
        expect(slots.ahead).toBeLessThanOrEqual(slots.back);
        expect(slots.slotMs * slots.back).toBeCloseTo(window, 3);
        expect(slots.slotMs * slots.ahead).toBeGreaterThanOrEqual(Math.min(window, 999));
      }),
    );
  });
});

describe('many slots ahead', () => {
  test('a steady demand is leased for the next second, a tenth more than it is', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1_000, noNaN: true }),
        fc.integer({ min: 1, max: 1e9 }),
        (rate, slot) => {
          const now = situation({ rate, slot });
          const wish = planManyAhead(now);
          const demand = 1.1 * rate * now.slots.slotMs * now.slots.ahead;
          expect(Math.abs(sum(wish?.wantAhead) - demand)).toBeLessThanOrEqual(1);
          expect(wish?.wantAhead.every(Number.isSafeInteger)).toBe(true);
        },
      ),
    );
  });

  test('a slot gets the same share in each plan, so that a second plan asks for nothing', () => {
    const first = planManyAhead(situation({ rate: 0.02 }));
    const tokens = new Map(first?.wantAhead.map((one, k) => [1_001 + k, one]));
    const second = planManyAhead(situation({ rate: 0.02, slot: 1_000, askedUntil: 1_010 }, tokens));
    expect(sum(first?.wantAhead)).toBeGreaterThan(10);
    expect(sum(second?.wantAhead)).toBe(0);
  });

  test('whoever waits for a token of a slot that begins soon costs no statement', () => {
    const tokens = new Map([[1_003, 1]]);
    expect(planManyAhead(situation({ waiting: 1, next: 1 }, tokens))).toBeUndefined();
    expect(planManyAhead(situation({ waiting: 2, next: 1 }, tokens))).toMatchObject({ wantNow: 1 });
  });

  test('a request that no slot’s tokens cover is asked for whole, in one slot', () => {
    const tokens = new Map(Array.from({ length: 41 }, (_, k) => [1_000 + k, 30]));
    const wish = planManyAhead(situation({ rate: 1, waiting: 50, next: 50, askedUntil: 1_040 }, tokens));
    expect(wish?.needNow).toBe(20);
    expect(wish?.wantNow).toBeGreaterThanOrEqual(20);
  });

  test('what slots that are over have left comes back, with the next statement or after a second', () => {
    const tokens = new Map([
      [997, 2],
      [999, 3],
      [1_000, 4],
    ]);
    expect(planManyAhead(situation({}, tokens))).toBeUndefined();
    const wish = planManyAhead(situation({ sinceAsked: 1_000 }, tokens));
    expect(wish?.wantNow).toBe(0);
    const at = (slot: number) => wish?.returned[slot - wish.returnFirst];
    expect([at(997), at(998), at(999), at(1_000)]).toEqual([2, 0, 3, undefined]);
  });
});

test('one slot ahead: a long window’s lease is a batch, and the next one’s first tokens are asked for before it begins', () => {
  const slots = slotsOf({ kind: 'fixed-window', limit: 1_000, window: 60_000, localShare: 1 });
  expect(planOneAhead(situation({ slots, rate: 1, left: 30_000 }))).toMatchObject({
    wantNow: 2_000,
    wantAhead: [],
  });
  const tokens = new Map([[1_000, 500]]);
  expect(planOneAhead(situation({ slots, rate: 1, left: 300 }, tokens))).toMatchObject({
    wantNow: 0,
    wantAhead: [2_000],
  });
  expect(planOneAhead(situation({ slots, rate: 1, left: 300, askedUntil: 1_001 }, tokens))).toBeUndefined();
});

test('one slot ahead: a process that wants nothing any more gives all back, one that still does keeps what it needs', () => {
  const slots = slotsOf({ kind: 'fixed-window', limit: 10, window: 3_600_000, localShare: 1 });
  const tokens = new Map([[1_000, 4]]);
  const back = (rate: number) => planOneAhead(situation({ slots, rate, left: 60_000 }, tokens))?.returned;
  expect(back(0)).toEqual([4]);
  expect(back(0.000_001)).toEqual([4]);
  expect(back(0.000_5)).toEqual([1]);
  expect(back(0.001_5)).toBeUndefined();
});
