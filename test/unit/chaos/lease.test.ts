import fc from 'fast-check';
import { endsAtMs, overBecause } from '../../../core/chaos/lease';

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
