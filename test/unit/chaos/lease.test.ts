import fc from 'fast-check';
import { endsAtMs, hostTime, overBecause } from '../../../core/chaos/lease';

const time = fc.integer({ min: 0, max: 1_000_000 });
const lease = fc.record({
  bootId: fc.constantFrom('this boot', 'another boot'),
  createdMs: time,
  deadlineMs: time,
  termMs: fc.integer({ min: 1, max: 100_000 }),
});

test('invariant 1: a lease that is over stays over', () => {
  fc.assert(
    fc.property(lease, time, time, fc.nat(), (one, renewed, now, later) => {
      const at = (uptimeMs: number) => overBecause(one, renewed, { bootId: 'this boot', uptimeMs });
      if (at(now) !== undefined) expect(at(now + later)).not.toBeUndefined();
    }),
  );
});

test('invariant 1: no renewal moves the deadline, and no lease outlives a boot', () => {
  fc.assert(
    fc.property(lease, time, fc.nat(), (one, renewed, late) => {
      const now = { bootId: 'this boot', uptimeMs: one.deadlineMs + late };
      expect(overBecause(one, renewed, now)).not.toBeUndefined();
      if (one.bootId !== 'this boot')
        expect(overBecause(one, renewed, { ...now, uptimeMs: 0 })).toBe('other-boot');
    }),
  );
});

test('a lease is over exactly from its end on', () => {
  fc.assert(
    fc.property(lease, fc.option(time, { nil: undefined }), (one, renewed) => {
      const end = endsAtMs(one, renewed);
      const at = (uptimeMs: number) =>
        overBecause({ ...one, bootId: 'b' }, renewed, { bootId: 'b', uptimeMs });
      expect([at(end - 1), at(end) === undefined]).toEqual([undefined, false]);
    }),
  );
});

test('invariant 6: a stepped wall clock moves neither the time of leases nor their end', () => {
  const before = hostTime();
  const held = {
    ...before,
    createdMs: before.uptimeMs,
    deadlineMs: before.uptimeMs + 600_000,
    termMs: 600_000,
  };
  jest.useFakeTimers({ now: 0, doNotFake: ['performance'] });
  try {
    for (const wall of [0, Date.UTC(2200, 0, 1)]) {
      jest.setSystemTime(wall);
      const now = hostTime();
      expect(now.bootId).toBe(before.bootId);
      // This test's own time, however slow the machine.
      expect(now.uptimeMs - before.uptimeMs).toBeLessThan(600_000);
      expect(now.uptimeMs).toBeGreaterThanOrEqual(before.uptimeMs);
      expect(overBecause(held, before.uptimeMs, now)).toBeUndefined();
    }
  } finally {
    jest.useRealTimers();
  }
});
