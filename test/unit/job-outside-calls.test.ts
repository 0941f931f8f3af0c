import fc from 'fast-check';
import { OutsideCalls } from '../../core/jobs/outside-calls';

test('every call is written down once, before who waits goes on, whatever the order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c', 'd')), fc.boolean(), async (names, waiting) => {
      const written: string[] = [];
      const calls = new OutsideCalls(async (some) => {
        await Promise.resolve();
        written.push(...some);
      });
      for (const name of names) {
        const done = calls.announce(name);
        if (!waiting) continue;
        await done;
        expect(written).toContain(name);
      }
      await calls.settled();
      expect(written).toEqual([...new Set(names)]);
    }),
  );
});

test('what could not be written is told at the end, and at once to who waits', async () => {
  const calls = new OutsideCalls(() => Promise.reject(new Error('away')));
  await expect(calls.announce('bank/collect')).rejects.toThrow('away');
  await expect(calls.settled()).rejects.toThrow('away');
});
