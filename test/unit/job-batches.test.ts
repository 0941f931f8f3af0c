import fc from 'fast-check';
import { type Keyed, partKey, runBatch } from '../../core/jobs/run-batch';

test('whatever items fail and whatever was done before, each item is done or split off, once', async () => {
  const item = fc.record({ fails: fc.boolean(), doneBefore: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { minLength: 2, maxLength: 30 }),
      fc.integer({ min: 1, max: 10 }),
      async (all, chunkSize) => {
        const items = all.map(
          (one, n): Keyed<{ fails: boolean; n: number }> => ({ key: `k${n}`, item: { ...one, n } }),
        );
        const recorded = new Set(items.filter((_, n) => all[n]?.doneBefore).map(({ key }) => key));
        const before = recorded.size;
        const done: number[] = [];
        const split: string[] = [];
        const report = await runBatch(
          {
            key: 'job',
            signal: new AbortController().signal,
            // A transaction: what the work did stays only when it does not throw.
            onceForEach: async (steps, work) => {
              const fresh = new Set(steps.filter((step) => !recorded.has(step)));
              const mark = done.length;
              try {
                if (fresh.size > 0) await work(null, fresh);
              } catch (error) {
                done.length = mark;
                throw error;
              }
              for (const step of fresh) recorded.add(step);
              return fresh.size;
            },
            splitOff: async (step) => {
              recorded.add(step);
              split.push(step);
            },
          },
          items,
          chunkSize,
          async (some) => {
            for (const one of some) {
              done.push(one.n);
              if (one.fails) throw new Error(`item ${one.n}`);
            }
          },
        );
        expect(recorded.size).toBe(items.length);
        expect(new Set(done).size).toBe(done.length);
        expect(report).toEqual({ done: done.length, before, split: split.length });
        const failing = items.filter(
          ({ item: one, key }, n) => one.fails && !all[n]?.doneBefore && key !== '',
        );
        expect(split.sort()).toEqual(failing.map(({ key }) => key).sort());
      },
    ),
  );
});

test('the key of a part fits and differs, however long its names are', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(name, name, (job, one) => {
      expect(Buffer.byteLength(partKey(job, one))).toBeLessThanOrEqual(300);
      expect(partKey(job, one)).not.toBe(partKey(job, `${one}2`));
    }),
  );
});
