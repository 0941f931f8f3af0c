import fc from 'fast-check';
import { InvalidInputError } from '../../core/errors';
import { canonicalJson, fingerprint } from '../../core/idempotency';
import { decideStart, type RecordState } from '../../core/idempotency/decide-start.pure';

test('canonical JSON reads back as the value it was made from', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('equal values have one fingerprint, whatever the order of their members', () => {
  const shuffled = fc.dictionary(fc.string(), fc.jsonValue()).chain((object) =>
    fc
      .shuffledSubarray(Object.keys(object), {
        minLength: Object.keys(object).length,
        maxLength: Object.keys(object).length,
      })
      .map((names) => [object, Object.fromEntries(names.map((name) => [name, object[name]]))] as const),
  );
  fc.assert(fc.property(shuffled, ([one, other]) => expect(fingerprint(one)).toBe(fingerprint(other))));
});

test('different values have different fingerprints', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      fc.pre(canonicalJson(a) !== canonicalJson(b));
      expect(fingerprint(a)).not.toBe(fingerprint(b));
    }),
  );
});

test.each([
  ['NaN', { a: [1, Number.NaN] }, '$.a[1]'],
  ['an infinite number', Number.POSITIVE_INFINITY, '$'],
  ['a date', { at: new Date(0) }, '$.at'],
  ['a function', { f: () => 1 }, '$.f'],
  ['a bigint', [1n], '$[0]'],
  ['a hole in a list', [undefined], '$[0]'],
])('%s is refused, with its place', (_, value, at) => {
  expect(() => canonicalJson(value)).toThrow(InvalidInputError);
  expect(() => canonicalJson(value)).toThrow(at);
});

test('a cycle is refused, the same object twice is not', () => {
  const shared = { a: 1 };
  expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]');
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(() => canonicalJson(cycle)).toThrow('a cycle at $.self');
});

test('an absent member and an undefined one are the same', () => {
  expect(canonicalJson({ a: 1, b: undefined })).toBe(canonicalJson({ a: 1 }));
});

const print = fc.constantFrom('p', 'q');
const record: fc.Arbitrary<RecordState> = fc.oneof(
  fc.constant<RecordState>({ kind: 'absent' }),
  fc.record({ kind: fc.constant('started' as const), fingerprint: print, lapsed: fc.boolean() }),
  fc.record({ kind: fc.constant('completed' as const), fingerprint: print, expired: fc.boolean() }),
);

test('a request is carried out only where nobody holds or has finished it (invariants 2, 3, 6)', () => {
  fc.assert(
    fc.property(record, print, (state, fingerprintOfRequest) => {
      const decision = decideStart(state, fingerprintOfRequest);
      const free =
        state.kind === 'absent' ||
        (state.kind === 'completed' && state.expired) ||
        (state.kind === 'started' && state.lapsed && state.fingerprint === fingerprintOfRequest);
      expect(['start', 'take-over'].includes(decision)).toBe(free);
      const live = state.kind === 'started' || (state.kind === 'completed' && !state.expired);
      const other = live && state.fingerprint !== fingerprintOfRequest;
      expect(decision === 'reject').toBe(other);
      if (decision === 'replay') expect(state.kind).toBe('completed');
    }),
  );
});
