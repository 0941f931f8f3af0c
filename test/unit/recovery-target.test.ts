import fc from 'fast-check';
import { formatInstant, type Micros, micros, parseInstant } from '../../core/recovery/target/instant.pure';
import { fullXid } from '../../core/recovery/target/locate-transaction';
import { parseTarget } from '../../core/recovery/target/parse-target.pure';

/** 0001-01-01 to 9999-12-31: what four digits of a year can say. */
const anyInstant = fc
  .bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })
  .map((value): Micros => micros(value));

describe('instants', () => {
  test('keep every microsecond from text to number and back', () => {
    fc.assert(
      fc.property(anyInstant, (instant) => {
        expect(parseInstant(formatInstant(instant))).toBe(instant);
      }),
    );
  });

  test('sort as text in the order of time', () => {
    fc.assert(
      fc.property(anyInstant, anyInstant, (a, b) => {
        expect(formatInstant(a) < formatInstant(b)).toBe(a < b);
      }),
    );
  });

  test('agree with Date wherever Date is exact, with any offset', () => {
    const offset = fc.integer({ min: -15 * 60, max: 15 * 60 });
    const date = fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-30'), noInvalidDate: true });
    fc.assert(
      fc.property(date, offset, (utc, minutes) => {
        const local = new Date(utc.getTime() + minutes * 60_000);
        fc.pre(local.getUTCFullYear() > 99 && local.getUTCFullYear() < 10_000);
        const two = (value: number) => String(value).padStart(2, '0');
        const sign = minutes < 0 ? '-' : '+';
        const zone = `${sign}${two(Math.trunc(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
        expect(parseInstant(local.toISOString().replace('Z', zone))).toBe(BigInt(utc.getTime()) * 1000n);
      }),
    );
  });

  test.each([
    ['2026-11-23T10:15:00Z', '2026-11-23T10:15:00.000000Z'],
    ['2026-11-23 10:15Z', '2026-11-23T10:15:00.000000Z'],
    ['2026-11-23 10:15:00.5+02', '2026-11-23T08:15:00.500000Z'],
    ['2026-11-23T10:15:00.123456-0330', '2026-11-23T13:45:00.123456Z'],
    ['2026-01-01t00:00:00+05:30', '2025-12-31T18:30:00.000000Z'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
  ])('%s is %s', (text, expected) => {
    const instant = parseInstant(text);
    expect(instant === undefined ? undefined : formatInstant(instant)).toBe(expected);
  });

  test.each([
    '2026-02-29T00:00:00Z',
    '2026-11-31T00:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T10:60:00Z',
    '2026-11-23',
    '',
  ])("'%s' is none", (text) => expect(parseInstant(text)).toBeUndefined());
});

describe('targets', () => {
  test.each([
    ['2026-11-23 11:15:00+01:00', { kind: 'time', at: '2026-11-23T10:15:00.000000Z' }],
    ['20m ago', { kind: 'ago', microseconds: '1200000000' }],
    ['1h30m ago', { kind: 'ago', microseconds: '5400000000' }],
    ['2 days 3 hours ago', { kind: 'ago', microseconds: '183600000000' }],
    ['0s ago', { kind: 'ago', microseconds: '0' }],
    ['point:before the import', { kind: 'point', name: 'before the import' }],
    ['POINT: x:y ', { kind: 'point', name: 'x:y' }],
    ['lsn:0/3000148', { kind: 'lsn', lsn: '0/3000148' }],
    ['lsn:0a/00ff', { kind: 'lsn', lsn: 'A/FF' }],
    ['xid:12345', { kind: 'xid', xid: '12345' }],
    ['xid:0012345', { kind: 'xid', xid: '12345' }],
  ])('%s', (text, expected) => expect(parseTarget(text)).toEqual(expected));

  test('a time without zone is refused, and the hint adds one', () => {
    expect(() => parseTarget('2026-11-23 10:15:00')).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        hint: expect.stringContaining("'2026-11-23 10:15:00Z'"),
      }),
    );
  });

  test('more digits than microseconds are refused, not cut off', () => {
    expect(() => parseTarget('2026-11-23 10:15:00.1234567Z')).toThrow(/six digits/);
  });

  test.each([
    '',
    'yesterday',
    '20 ago',
    '20x ago',
    '5m5m ago',
    '-5m ago',
    '1.5h ago',
    'lsn:3000148',
    'lsn:0/x',
    'xid:2',
    'xid:-1',
    'xid:99999999999999999999',
    'point:',
    'm ago',
  ])("'%s' is refused with the accepted forms", (text) =>
    expect(() => parseTarget(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', hint: expect.stringContaining('ago') }),
    ),
  );

  test('an age is the sum of its parts, in any order and spacing', () => {
    const sizes = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 } as const;
    const units = fc.subarray(['w', 'd', 'h', 'm', 's'] as const, { minLength: 1 });
    fc.assert(
      fc.property(
        units,
        fc.array(fc.nat(10_000), { minLength: 5, maxLength: 5 }),
        fc.boolean(),
        (chosen, amounts, spaced) => {
          const text = chosen.map((unit, index) => `${amounts[index]}${unit}`).join(spaced ? ' ' : '');
          const seconds = chosen.reduce((sum, unit, index) => sum + (amounts[index] ?? 0) * sizes[unit], 0);
          expect(parseTarget(`${text} ago`)).toEqual({
            kind: 'ago',
            microseconds: String(BigInt(seconds) * 1_000_000n),
          });
        },
      ),
    );
  });

  test('nothing that a person could type raises anything but INVALID_INPUT', () => {
    const almost = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(point|lsn|xid):.{0,20}$/),
      fc.stringMatching(/^[0-9a-z .:+-]{0,30} ago$/),
      fc.stringMatching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2})?$/),
    );
    fc.assert(
      fc.property(almost, (text) => {
        try {
          parseTarget(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_INPUT' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('transaction IDs', () => {
  test('32 bits mean the nearest transaction, before or behind an overflow', () => {
    const next = 2n ** 32n + 100n;
    expect(fullXid(50n, next)).toBe(2n ** 32n + 50n);
    expect(fullXid(2n ** 32n - 5n, next)).toBe(2n ** 32n - 5n);
    expect(fullXid(2n ** 32n + 7n, next)).toBe(2n ** 32n + 7n);
  });

  test('the low bits are kept and no answer is negative', () => {
    const any = fc.bigInt({ min: 3n, max: 2n ** 32n - 1n });
    fc.assert(
      fc.property(any, fc.bigInt({ min: 3n, max: 2n ** 48n }), (xid, next) => {
        const full = fullXid(xid, next);
        expect(full & 0xffff_ffffn).toBe(xid);
        expect(full >= 0n).toBe(true);
      }),
    );
  });
});
