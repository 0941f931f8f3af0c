import fc from 'fast-check';
import { Metrics } from '../../core/metrics';
import { AdaptiveRateLimiter, GlobalRateLimits, RateLimitConfiguration } from '../../core/rate-limit';
import { Contact } from '../../core/rate-limit/global/contact.pure';
import { DatabaseClock } from '../../core/rate-limit/global/database-clock.pure';
import { pace } from '../../core/rate-limit/global/pace.pure';
import { SILENCE_MS } from '../../core/rate-limit/global/timing.pure';
import { until } from '../support/until';

describe('what a process knows of the database’s clock', () => {
  const answers = fc.array(fc.record({ gap: fc.nat(30_000), there: fc.nat(400), back: fc.nat(400) }), {
    minLength: 1,
    maxLength: 30,
  });

  test('the clock is always between the bounds, however answers are delayed and clocks drift', () => {
    fc.assert(
      fc.property(answers, fc.double({ min: -0.0005, max: 0.0005, noNaN: true }), (stream, drift) => {
        const clock = new DatabaseClock();
        let time = 0;
        const local = (at: number) => 77_000 + at * (1 + drift);
        for (const { gap, there, back } of stream) {
          const sent = time + gap;
          const received = sent + there + back;
          expect(clock.observe(local(sent), local(received), 5e9 + sent + there)).toBe(false);
          for (const later of [0, 10, 5_000]) {
            const now = local(received + later);
            expect(clock.earliest(now)).toBeLessThanOrEqual(5e9 + received + later + 1e-3);
            expect(clock.latest(now)).toBeGreaterThanOrEqual(5e9 + received + later - 1e-3);
          }
          time = received;
        }
      }),
    );
  });

  test('a clock that was set is noticed, and only the new time counts', () => {
    const clock = new DatabaseClock();
    clock.observe(0, 10, 1_000_000);
    expect(clock.observe(1_000, 1_010, 5_000_000)).toBe(true);
    expect(clock.earliest(1_010)).toBeCloseTo(5_000_000, 1);
    expect(clock.observe(2_000, 2_010, 900_000)).toBe(true);
    expect(clock.latest(2_010)).toBeCloseTo(900_010, 1);
  });
});

describe('own shares', () => {
  test('are used only in slots that begin long enough after the last time the database can have seen the process', () => {
    const steps = fc.array(
      fc.record({
        gap: fc.nat(900),
        outcome: fc.constantFrom('answered', 'failed', 'failed and seen', 'pending'),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, fc.nat(5_000), fc.nat(3_000), (stream, ahead, backMs) => {
        const contact = new Contact();
        let now = 10_000;
        let seen = Number.NEGATIVE_INFINITY;
        for (const { gap, outcome } of stream) {
          now += gap;
          const sent = contact.sent(now + 400);
          if (outcome !== 'failed') seen = Math.max(seen, now + 100);
          if (outcome === 'answered') contact.answered(sent, now + 100);
          if (outcome === 'failed' || outcome === 'failed and seen') contact.failed(sent);
        }
        const start = now + ahead;
        if (contact.ownShareIn(start, backMs)) {
          expect(contact.lost).toBe(true);
          expect(seen).toBeLessThan(start - backMs - SILENCE_MS);
        }
      }),
    );
  });

  test('end with the slot in which the process came back', () => {
    const contact = new Contact();
    for (const deadline of [1_000, 2_000]) contact.failed(contact.sent(deadline));
    expect(contact.ownShareIn(4_000, 0)).toBe(false);
    expect(contact.ownShareIn(4_001, 0)).toBe(true);
    contact.rejoined(contact.sentRejoin(6_400), 6_050);
    expect(contact.lost).toBe(false);
    expect(contact.ownShareIn(6_000, 0)).toBe(true);
    expect(contact.ownShareIn(7_000, 0)).toBe(false);
  });
});

test('statements slow down together above eight a second and never stop', () => {
  fc.assert(
    fc.property(fc.double({ min: 100, max: 4_000, noNaN: true }), fc.nat(500), (before, asked) => {
      const after = pace(before, asked);
      expect(after).toBeGreaterThanOrEqual(100);
      expect(after).toBeLessThanOrEqual(4_000);
      if (asked > 8) expect(after).toBeGreaterThanOrEqual(Math.min(before, 4_000));
      else expect(after).toBeLessThanOrEqual(Math.max(before, 100));
    }),
  );
});

describe('nonsense is refused at construction by its name', () => {
  const connection = { host: '/nowhere', port: 1, database: 'none', user: 'nobody' };
  test.each([0, -1, Number.NaN, 1e12])('timeoutMs %p', (timeoutMs) => {
    expect(() => new GlobalRateLimits({ connection, timeoutMs })).toThrow(/timeoutMs/);
  });
  test.each([0, Number.POSITIVE_INFINITY])('pollMs %p', (pollMs) => {
    const rule = { kind: 'fixed-window', limit: 1, window: '1s' } as const;
    const limiter = new AdaptiveRateLimiter({ rule, metrics: new Metrics() });
    expect(() => new RateLimitConfiguration({ connection, limiter, pollMs })).toThrow(/pollMs/);
  });
  test('top', () => expect(() => new Metrics({ top: 0 })).toThrow(/top/));
});

test('a database that was never there: the share from the first second, no unhandled rejection, and close() ends', async () => {
  const errors: unknown[] = [];
  const connection = { host: '/nowhere', port: 1, database: 'none', user: 'nobody' };
  const global = new GlobalRateLimits({
    connection,
    onError: (error) => {
      errors.push(error);
      throw new Error('a listener that throws');
    },
  });
  const rule = { kind: 'fixed-window', limit: 100, window: '1h', global: { localShare: 0.25 } } as const;
  const limiter = new AdaptiveRateLimiter({ rule, global, metrics: new Metrics() });
  try {
    let admitted = 0;
    let answers = await Promise.all(Array.from({ length: 300 }, () => limiter.checkRateLimit('a')));
    admitted += answers.filter(({ allowed }) => allowed).length;
    // The first ones may have waited in vain before the database was given up.
    await until(() => global.statistics().lost, { what: 'the database to be given up' });
    answers = await Promise.all(Array.from({ length: 300 }, () => limiter.checkRateLimit('a')));
    admitted += answers.filter(({ allowed }) => allowed).length;
    expect(admitted).toBe(25);
    expect(answers.every(({ reason }) => reason === 'local-share')).toBe(true);
    expect(errors.length).toBeGreaterThan(0);
  } finally {
    await global.close();
  }
});
