import fc from 'fast-check';
import { packEntries } from '../../core/audit/log';
import { PackedBundle } from '../../core/audit/log/bundle';
import { leafDigest } from '../../core/audit/merkle';
import { cutBundles } from '../../core/audit/seal/cut-bundles.pure';

const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });

test('packed entries are read back, and hashed where they lie', () => {
  fc.assert(
    fc.property(entries, (given) => {
      const buffers = given.map((bytes) => Buffer.from(bytes));
      const bundle = PackedBundle.parse(packEntries(buffers));
      expect(bundle?.entries.map((entry) => entry.toString('hex'))).toEqual(
        buffers.map((entry) => entry.toString('hex')),
      );
      expect(bundle?.digests).toEqual(buffers.map(leafDigest));
    }),
  );
});

test('an entry of the greatest length keeps it', () => {
  const longest = Buffer.alloc(65_535, 7);
  const bundle = PackedBundle.parse(packEntries([longest, Buffer.alloc(0)]));
  expect(bundle?.entries.map(({ length }) => length)).toEqual([65_535, 0]);
});

test('packed entries that are cut anywhere but between two are no bundle', () => {
  fc.assert(
    fc.property(entries, fc.nat(), (given, n) => {
      const packed = packEntries(given.map((bytes) => Buffer.from(bytes)));
      const cut = packed.subarray(0, n % (packed.length + 1));
      const ends = given.map(
        (_, i) => packEntries(given.slice(0, i).map((bytes) => Buffer.from(bytes))).length,
      );
      const between = cut.length === packed.length || ends.includes(cut.length);
      expect(PackedBundle.parse(cut) !== undefined).toBe(between);
    }),
  );
});

test('new entries are cut where bundles end, and none is lost, moved or in two', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2_000 }), fc.nat({ max: 1_500 }), (first, count) => {
      const added = Array.from({ length: count }, (_, i) => ({ entry: Buffer.from(String(i)) }));
      const { full, rest } = cutBundles({ first, entries: added });
      expect([...full, rest].flatMap((run) => run.entries)).toEqual(added);
      let next = first;
      for (const run of [...full, rest]) {
        expect(run.first).toBe(next);
        next += run.entries.length;
      }
      for (const run of full) {
        expect((run.first + run.entries.length) % 256).toBe(0);
        expect(run.entries.length).toBeGreaterThan(0);
        expect(run.entries.length).toBeLessThanOrEqual(256);
      }
      expect((rest.first % 256) + rest.entries.length).toBeLessThan(256);
    }),
  );
});
