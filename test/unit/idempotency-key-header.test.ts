import fc from 'fast-check';
import { formatKeyHeader, parseKeyHeader } from '../../core/idempotency/http/key-header.pure';

test('a key carries any printable text, whatever its quotes, and nothing else is one', () => {
  const printable = fc
    .array(fc.integer({ min: 0x20, max: 0x7e }), { minLength: 1, maxLength: 255 })
    .map((codes) => String.fromCharCode(...codes))
    .filter((text) => text.trim() !== '');
  fc.assert(
    fc.property(printable, (key) => {
      expect(parseKeyHeader(formatKeyHeader(key), false)).toBe(key);
      expect(parseKeyHeader(`  ${formatKeyHeader(key)} ;version=1`, false)).toBe(key);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), fc.boolean(), (field, bare) => {
      const key = parseKeyHeader(field, bare);
      if (key !== undefined) expect(key).toMatch(/^[\x20-\x7e]{1,255}$/);
    }),
  );
  for (const field of [
    '',
    '""',
    '"  "',
    'k',
    '"k',
    'k"',
    '"k" "l"',
    '"k", "l"',
    '"ü"',
    `"${'k'.repeat(256)}"`,
  ])
    expect(parseKeyHeader(field, false)).toBeUndefined();
  expect(parseKeyHeader('8e03978e-40d5-43dd', true)).toBe('8e03978e-40d5-43dd');
  expect(parseKeyHeader('two words', true)).toBeUndefined();
});
