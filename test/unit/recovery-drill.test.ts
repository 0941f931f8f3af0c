import fc from 'fast-check';
import { leastRecentlyDrilled } from '../../core/recovery/drill/least-recently-drilled.pure';

const tenants = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 });
const times = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });

test('drills, one after the other, come to every tenant before they come to one again', () => {
  fc.assert(
    fc.property(tenants, fc.integer({ min: 1, max: 3 }), (all, rounds) => {
      const last = new Map<string, string>();
      const order: string[] = [];
      for (let n = 0; n < rounds * all.length; n++) {
        const chosen = leastRecentlyDrilled(all, last);
        if (chosen === undefined) throw new Error('none was chosen');
        order.push(chosen);
        last.set(chosen, new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString());
      }
      for (let round = 0; round < rounds; round++)
        expect(new Set(order.slice(round * all.length, (round + 1) * all.length)).size).toBe(all.length);
    }),
  );
});

test('the one chosen is a candidate, and none other waits longer', () => {
  fc.assert(
    fc.property(tenants, fc.dictionary(fc.string(), times), (all, drilled) => {
      const last = new Map(Object.entries(drilled).map(([tenant, time]) => [tenant, time.toISOString()]));
      const chosen = leastRecentlyDrilled(all, last);
      expect(all).toContain(chosen);
      const waited = (tenant: string) => last.get(tenant) ?? '';
      for (const tenant of all) expect(waited(tenant) >= waited(chosen ?? '')).toBe(true);
    }),
  );
  expect(leastRecentlyDrilled([], new Map())).toBeUndefined();
});
