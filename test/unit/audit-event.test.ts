import fc from 'fast-check';
import { checkEvent, encodeEntry, MAX_ENTRY_BYTES, type StoredEvent } from '../../core/audit/event';
import { keepsNumbers } from '../../core/audit/event/entry.pure';
import { compareEvent } from '../../core/audit/verify/compare-event.pure';
import { canonicalJson } from '../../core/canonical-json';

const stored = (event: Partial<StoredEvent> = {}): StoredEvent => ({
  id: 'e1',
  at: '2026-11-23T10:15:00.123456Z',
  actor: 'ada',
  action: 'restore.merge',
  tenant: 'acme',
  object: null,
  outcome: 'ok',
  reason: null,
  request: null,
  run: null,
  details: '{}',
  ...event,
});
const event = { id: 'e1', actor: 'ada', action: 'restore.merge', tenant: 'acme', outcome: 'ok' };

describe('canonical JSON is that of RFC 8785', () => {
  test('the example of section 3.2.4, byte by byte', () => {
    const value = {
      numbers: [JSON.parse('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '€$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    const published =
      '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d';
    expect(Buffer.from(canonicalJson(value)).toString('hex')).toBe(published);
  });

  test('members are sorted as in section 3.2.3, by UTF-16 code units', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect([...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map(([, text]) => text)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test.each<readonly [number, string]>([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [1e21, '1e+21'],
    [9.999999999999997e22, '9.999999999999997e+22'],
    [0.000001, '0.000001'],
    [333333333.3333332, '333333333.3333332'],
    [-1e-7, '-1e-7'],
  ])('the number %d is written as in appendix B: %s', (number, text) => {
    expect(canonicalJson(number)).toBe(text);
  });

  test('a lone surrogate, in a value or a name, is refused', () => {
    expect(() => canonicalJson({ a: '\ud800' })).toThrow('a lone surrogate at $.a');
    expect(() => canonicalJson({ '\udc00': 1 })).toThrow('a lone surrogate');
  });
});

test('the entry is the canonical JSON of the event, whatever is in its fields', () => {
  const text = fc.string({ unit: 'grapheme' });
  const maybe = fc.option(text, { nil: null });
  const any = fc.record({
    id: text,
    at: text,
    actor: text,
    action: text,
    tenant: maybe,
    object: maybe,
    outcome: text,
    reason: maybe,
    request: maybe,
    run: maybe,
  });
  fc.assert(
    fc.property(any, fc.jsonValue(), (facts, details) => {
      const { bytes, details: form } = encodeEntry({ ...facts, details: JSON.stringify(details) });
      fc.pre(form === 'json');
      const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null));
      expect(bytes.toString()).toBe(canonicalJson({ v: facts.run === null ? 1 : 2, ...known, details }));
    }),
  );
});

test('a number that JSON readers round is seen wherever it stands, and no text is taken for one', () => {
  const spaces = fc.constantFrom('', ' ', '\n\t');
  const values = fc.constantFrom(
    '0',
    '-1',
    '7',
    '999999999999999',
    '"-0"',
    '"1:9007199254740993,"',
    'true',
    '[]',
  );
  const rounded = fc.constantFrom(
    '9007199254740993',
    '-0',
    '1.0',
    '1e2',
    '0.10',
    '-9007199254740993',
    '1E400',
  );
  fc.assert(
    fc.property(
      spaces,
      fc.array(values),
      fc.array(values),
      rounded,
      fc.boolean(),
      (space, before, after, odd, inObject) => {
        const json = (items: readonly string[]) =>
          inObject
            ? `{${items.map((item, i) => `${space}"m${i}"${space}:${space}${item}${space}`).join(',')}}`
            : `[${items.map((item) => `${space}${item}${space}`).join(',')}]`;
        expect(keepsNumbers(json([...before, ...after]))).toBe(true);
        expect(keepsNumbers(json([...before, odd, ...after]))).toBe(false);
        expect(keepsNumbers(odd)).toBe(false);
      },
    ),
  );
});

test('an event without a run is encoded as it was before there were any', () => {
  expect(encodeEntry(stored({ request: 'restore/acme/1' })).bytes.toString()).toBe(
    '{"action":"restore.merge","actor":"ada","at":"2026-11-23T10:15:00.123456Z","details":{},"id":"e1","outcome":"ok","request":"restore/acme/1","tenant":"acme","v":1}',
  );
  expect(
    encodeEntry(stored({ request: 'restore/acme/1', run: '019ac' }))
      .bytes.toString()
      .slice(-70),
  ).toBe(',"outcome":"ok","request":"restore/acme/1","run":"019ac","tenant":"acme","v":2}'.slice(-70));
});

test('a run that is changed is told', () => {
  const { bytes } = encodeEntry(stored({ run: 'one' }));
  expect(compareEvent(bytes, 'e1', stored({ run: 'two' }))).toBe(
    'event e1 was changed: run was "one", is "two"',
  );
});

test('every stored event has an entry that fits, whatever its details are', () => {
  const json = fc.json({ maxDepth: 3 });
  fc.assert(
    fc.property(json, fc.string({ unit: 'grapheme' }), (details, actor) => {
      const entry = encodeEntry(stored({ details, actor }));
      expect(entry.bytes.length).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
      expect(JSON.parse(entry.bytes.toString())).toMatchObject({ v: 1, id: 'e1' });
      expect(encodeEntry(stored({ details, actor })).bytes).toEqual(entry.bytes);
    }),
  );
});

test.each([
  { name: 'nothing special', details: '{"n": 1, "text": "a"}', form: 'json' },
  { name: 'an integer beyond 2^53', details: '{"n": 9007199254740993}', form: 'text' },
  { name: 'a number beyond a double', details: '{"n": 1e400}', form: 'text' },
  { name: 'a trailing zero', details: '{"n": 1.10}', form: 'text' },
  { name: 'digits in a string', details: '{"n": "9007199254740993"}', form: 'json' },
  { name: 'a quote before digits', details: '{"a\\"": "x\\\\", "n": 3}', form: 'json' },
  { name: 'too much text', details: JSON.stringify({ text: 'x'.repeat(70_000) }), form: 'hash' },
])('details with $name are sealed as $form', ({ details, form }) => {
  const entry = encodeEntry(stored({ details }));
  expect(entry.details).toBe(form);
  const sealed = JSON.parse(entry.bytes.toString());
  if (form === 'text') expect(sealed.detailsText).toBe(details);
  if (form === 'json') expect(sealed.details).toEqual(JSON.parse(details));
  if (form === 'hash') expect(sealed.detailsSha256).toMatch(/^[0-9a-f]{64}$/);
});

test('a different event has a different entry, also where only the hash of it is sealed', () => {
  const long = (text: string) => encodeEntry(stored({ actor: text.repeat(70_000) })).bytes;
  expect(long('a')).not.toEqual(long('b'));
  expect(encodeEntry(stored({ reason: '' })).bytes).not.toEqual(encodeEntry(stored()).bytes);
});

test.each<readonly [string, object, RegExp]>([
  ['too long', { details: { text: 'x'.repeat(65_536) } }, /longer than 65535 bytes/],
  ['an actor that is too long', { actor: 'x'.repeat(70_000) }, /longer than/],
  ['an integer beyond 2^53', { details: { n: 2 ** 60 } }, /number that is not safe/],
  ['a lone surrogate', { details: { text: '\ud800' } }, /lone surrogate/],
  ['NUL in the details', { details: { text: 'a\0b' } }, /NUL/],
  ['NUL in the actor', { actor: 'a\0b' }, /NUL/],
  ['a date', { details: { at: new Date() } }, /Date/],
  ['no number', { details: { n: Number.NaN } }, /NaN/],
])('an event with %s is refused when it is recorded', (_, change, message) => {
  expect(() => checkEvent({ ...event, ...change })).toThrow(message);
  expect(() => checkEvent({ ...event, ...change })).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT' }),
  );
});

test('what may be recorded may be long, and may speak of NUL', () => {
  expect(checkEvent({ ...event, details: { text: 'x'.repeat(65_000) } })).toHaveLength(65_011);
  expect(checkEvent({ ...event, details: { text: '\\u0000' } })).toBe('{"text":"\\\\u0000"}');
});

test('any field of an event that is another one is found, with what it was', () => {
  const fields = ['id', 'at', 'actor', 'action', 'tenant', 'object', 'outcome', 'reason', 'request'] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...fields),
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.string({ minLength: 1, maxLength: 20 }),
      (field, was, is) => {
        const sealed = encodeEntry(stored({ [field]: was })).bytes;
        expect(compareEvent(sealed, 'e1', stored({ [field]: was }))).toBeUndefined();
        if (was === is) return;
        expect(compareEvent(sealed, 'e1', stored({ [field]: is }))).toBe(
          `event e1 was changed: ${field} was ${JSON.stringify(was)}, is ${JSON.stringify(is)}`,
        );
      },
    ),
  );
  const sealed = encodeEntry(stored({ details: '{"rows": 3}' })).bytes;
  expect(compareEvent(sealed, 'e1', stored({ details: '{"rows": 4}' }))).toBe(
    'event e1 was changed: details was {"rows":3}, is {"rows":4}',
  );
  expect(compareEvent(sealed, 'e1', undefined)).toContain(
    'event e1 is gone; it was {"action":"restore.merge"',
  );
});
