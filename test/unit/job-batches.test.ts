import fc from 'fast-check';
import { type BatchSteps, type Keyed, partKey, runBatch } from '../../core/jobs/run-batch';

interface Line {
  readonly n: number;
  readonly fails: boolean;
}

/** The records and effects of a batch's attempts, in memory: what a transaction did stays only when its work does not throw. */
class Ledger implements BatchSteps<null> {
  readonly key = 'job';
  readonly signal = new AbortController().signal;
  readonly done: number[] = [];
  readonly parts: { readonly key: string; readonly steps: readonly string[] }[] = [];
  readonly told: (readonly [number, number])[] = [];

  constructor(readonly recorded: Set<string>) {}

  progress(done: number, total: number): void {
    this.told.push([done, total]);
  }

  async onceForEach(
    steps: readonly string[],
    work: (tx: null, fresh: ReadonlySet<string>) => Promise<void>,
  ): Promise<number> {
    const fresh = new Set(steps.filter((step) => !this.recorded.has(step)));
    const mark = this.done.length;
    try {
      if (fresh.size > 0) await work(null, fresh);
    } catch (error) {
      this.done.length = mark;
      throw error;
    }
    for (const step of fresh) this.recorded.add(step);
    return fresh.size;
  }

  async splitOff(steps: readonly string[], { key }: { readonly key: string }): Promise<void> {
    for (const step of steps) {
      expect(this.recorded.has(step)).toBe(false);
      this.recorded.add(step);
    }
    this.parts.push({ key, steps });
  }

  /** The work of the items: one that fails spoils what was done with it. */
  readonly work = async (lines: readonly Line[]): Promise<void> => {
    for (const line of lines) {
      this.done.push(line.n);
      if (line.fails) throw new Error(`item ${line.n}`);
    }
  };
}

test('whatever items fail and whatever was done before, each item is done or split off, once', async () => {
  const item = fc.record({ fails: fc.boolean(), doneBefore: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { minLength: 2, maxLength: 30 }),
      fc.integer({ min: 1, max: 10 }),
      async (all, chunkSize) => {
        const items = all.map(({ fails }, n): Keyed<Line> => ({ key: `k${n}`, item: { fails, n } }));
        const before = items.filter((_, n) => all[n]?.doneBefore).map(({ key }) => key);
        const ledger = new Ledger(new Set(before));
        const report = await runBatch(ledger, items, chunkSize, ledger.work);
        expect(ledger.recorded.size).toBe(items.length);
        expect(new Set(ledger.done).size).toBe(ledger.done.length);
        const split = ledger.parts.flatMap((part) => part.steps);
        expect(report).toEqual({ done: ledger.done.length, before: before.length, split: split.length });
        const failing = items.filter(({ item: one, key }) => one.fails && !before.includes(key));
        expect(split).toEqual(failing.map(({ key }) => key));
        expect(ledger.told.at(-1)).toEqual([items.length, items.length]);
      },
    ),
  );
});

test('in an ordered batch a failing item takes the later ones of its line along, and only those', async () => {
  const item = fc.record({ fails: fc.boolean(), line: fc.constantFrom('a', 'b', 'c') });
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { minLength: 2, maxLength: 30 }),
      fc.integer({ min: 1, max: 10 }),
      async (all, chunkSize) => {
        fc.pre(new Set(all.map(({ line }) => line)).size > 1);
        const items = all.map(
          ({ fails, line }, n): Keyed<Line> => ({ key: `k${n}`, line, item: { fails, n } }),
        );
        const ledger = new Ledger(new Set());
        const report = await runBatch(ledger, items, chunkSize, ledger.work);
        for (const line of ['a', 'b', 'c']) {
          const own = items.filter((one) => one.line === line);
          const bad = own.findIndex((one) => one.item.fails);
          const good = bad < 0 ? own : own.slice(0, bad);
          // Done in their order, up to the first that fails; from there on they are one job, in their order.
          expect(ledger.done.filter((n) => items[n]?.line === line)).toEqual(good.map((one) => one.item.n));
          const parts = ledger.parts.filter(({ steps }) =>
            steps.some((step) => own.some(({ key }) => key === step)),
          );
          expect(parts.map(({ steps }) => steps)).toEqual(
            bad < 0 ? [] : [own.slice(bad).map(({ key }) => key)],
          );
        }
        expect(report.done + report.split).toBe(items.length);
      },
    ),
  );
});

test('a line alone is its job’s own failure: it is retried as a whole, from the item that failed', async () => {
  const items = [0, 1, 2].map((n): Keyed<Line> => ({ key: `k${n}`, line: 'a', item: { n, fails: n === 1 } }));
  const ledger = new Ledger(new Set());
  await expect(runBatch(ledger, items, 10, ledger.work)).rejects.toThrow('item 1');
  expect(ledger.done).toEqual([0]);
  expect(ledger.parts).toEqual([]);
  const mended = items.map((one) => ({ ...one, item: { ...one.item, fails: false } }));
  expect(await runBatch(ledger, mended, 10, ledger.work)).toEqual({ done: 2, before: 1, split: 0 });
  expect(ledger.done).toEqual([0, 1, 2]);
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
