import fc from 'fast-check';
import { copyOutScript, putBackScript } from '../../bench/restore/by-hand-sql.pure';
import { SLICE, TEMPLATES } from '../../bench/restore/slice';
import { judge } from '../../bench/support/goals.pure';
import { median, rounded } from '../../bench/support/statistics.pure';

describe('the verdict of a benchmark', () => {
  test('names the figures that miss their goal', () => {
    const figures = { ratio: 1.2, rate: 0.9, leftovers: 0, free: 7 };
    const goals = { ratio: '<=1.15', rate: '>=0.9', leftovers: '==0' } as const;
    expect(judge('restore', figures, goals)).toEqual({ bench: 'restore', figures, goals, missed: ['ratio'] });
  });

  test('a figure that was not measured is missed', () => {
    const goals = { absent: '<=1', broken: '>=1' } as const;
    expect(judge('restore', { broken: Number.NaN }, goals).missed).toEqual(['absent', 'broken']);
  });

  test('agrees with the comparison itself for any figure and limit', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (figure, limit) => {
        expect(judge('b', { f: figure }, { f: `<=${limit}` }).missed.length === 0).toBe(figure <= limit);
        expect(judge('b', { f: figure }, { f: `>=${limit}` }).missed.length === 0).toBe(figure >= limit);
        expect(judge('b', { f: figure }, { f: `==${limit}` }).missed.length === 0).toBe(figure === limit);
      }),
    );
  });
});

describe('the median', () => {
  test('of an odd and of an even number of values', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 9])).toBe(3);
  });

  test('has as many values on either side, whatever their order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const middle = median(values);
        expect(values.filter((value) => value < middle).length * 2).toBeLessThanOrEqual(values.length);
        expect(values.filter((value) => value > middle).length * 2).toBeLessThanOrEqual(values.length);
        expect(median([...values].reverse())).toBe(middle);
      }),
    );
  });

  test('of nothing is an error, not a figure', () => expect(() => median([])).toThrow(RangeError));
});

test('figures keep four significant places, whole numbers above a thousand', () => {
  expect([1.15449, 0.98765, 62.04, 12_611.7, 0].map(rounded)).toEqual([1.154, 0.9877, 62.04, 12_612, 0]);
});

describe('the hand-written restore', () => {
  const tenant = '11111111-2222-3333-4444-555555555555';

  test('copies out, deletes and copies in every table of the slice', () => {
    const out = copyOutScript(tenant);
    const back = putBackScript(tenant);
    for (const { name } of [...SLICE, TEMPLATES]) {
      expect(out).toContain(` from ${name} where `);
      expect(back).toContain(`delete from ${name} where `);
    }
    expect(out.match(/^\\copy/gm)).toHaveLength(SLICE.length + 1);
    expect(back.match(/^\\copy/gm)).toHaveLength(SLICE.length + 1);
  });

  test('deletes rows before the parents by which they are found', () => {
    const back = putBackScript(tenant);
    const place = (table: string) => back.indexOf(`delete from ${table} where`);
    expect(place('invoice_lines')).toBeLessThan(place('invoices'));
    expect(place('payment_allocations')).toBeLessThan(place('payments'));
  });

  test('is one transaction and leaves no variable for psql, which replaces none in \\copy', () => {
    const back = putBackScript(tenant).trimEnd().split('\n');
    expect(back[1]).toBe('begin;');
    expect(back.at(-1)).toBe('commit;');
    expect(copyOutScript(tenant) + back.join('\n')).not.toContain(`:'tenant'`);
  });
});
