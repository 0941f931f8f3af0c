import fc from 'fast-check';
import { maskSecrets } from '../../../core/chaos';
import { substitute } from '../../../core/chaos/experiment/substitute.pure';
import { withinTolerance } from '../../../core/chaos/experiment/tolerance.pure';

const page = { status: 200, headers: { server: 'x' }, body: '{"foo": [{"baz": 1}, {"baz": 2}]}' };

test.each([
  [true, true, true],
  [true, false, false],
  ['ready', 'ready', true],
  ['ready', 'not ready', false],
  [200, page, true],
  [404, page, false],
  [0, { status: 0, stdout: '', stderr: '' }, true],
  [[200, 204], page, true],
  [[201, 299], page, false],
  [[1, 5], 3, true],
  [[1, 5], 6, false],
  [['a', 'b', 'c'], 'b', true],
  [[1, 2, 7], 5, false],
  [{ type: 'regex', pattern: '"ba[z]"', target: 'body' }, page, true],
  [{ type: 'regex', pattern: '^nothing', target: 'body' }, page, false],
  [{ type: 'regex', pattern: '(?P<first>a)(?P=first)' }, 'baab', true],
  [{ type: 'range', range: [1, 5] }, '3.5', true],
  [{ type: 'range', range: [1, 5], target: 'stdout' }, { status: 0, stdout: '9' }, false],
  [{ type: 'range', range: [1, 5] }, 'many', false],
  [{ type: 'jsonpath', path: '$.foo[*].baz', target: 'body' }, page, true],
  [{ type: 'jsonpath', path: '$.foo[*].baz', count: 2, target: 'body' }, page, true],
  [{ type: 'jsonpath', path: '$.foo[*].baz', count: 3, target: 'body' }, page, false],
  [{ type: 'jsonpath', path: '$.foo[*].baz', expect: [1, 2], target: 'body' }, page, true],
  [{ type: 'jsonpath', path: '$.foo[?@.baz == 2].baz', expect: 2, target: 'body' }, page, true],
  [{ type: 'jsonpath', path: '$.nothing', target: 'body' }, page, false],
] as const)('a tolerance of %j judges %j: %p', (tolerance, value, expected) => {
  const written = JSON.parse(JSON.stringify(tolerance));
  expect(withinTolerance(written, value)).toBe(expected);
});

test('a tolerance never throws, whatever the value', () => {
  const kinds = [
    true,
    7,
    'x',
    [1, 2],
    { type: 'regex', pattern: 'x' },
    { type: 'range', range: [1, 2] },
    { type: 'jsonpath', path: '$..x' },
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.jsonValue(), (tolerance, value) => {
      expect(typeof withinTolerance(JSON.parse(JSON.stringify(tolerance)), value)).toBe('boolean');
    }),
  );
});

test('references are replaced as Python’s templates do, a whole one with its type', () => {
  const values = { port: 8443, host: 'db', deep: { a: 1 } };
  expect(
    substitute(
      { url: `https://\${host}:$port/`, n: `\${port}`, list: ['$host', 1], all: `\${deep}` },
      values,
    ),
  ).toEqual({
    url: 'https://db:8443/',
    n: 8443,
    list: ['db', 1],
    all: { a: 1 },
  });
  expect(substitute(`$$5 \${unknown} $ \${`, values)).toBe(`$5 \${unknown} $ \${`);
});

test('no secret is left anywhere in what is shown', () => {
  const secrets = fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{4,20}$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(secrets, fc.string(), fc.array(fc.string()), (hidden, around, other) => {
      const all = hidden.join(around);
      const value = { all, list: [all, { [all]: all }], other, nested: { deep: `${around}${all}${around}` } };
      const shown = JSON.stringify(maskSecrets(value, hidden));
      expect(hidden.filter((secret) => shown.includes(secret))).toEqual([]);
    }),
  );
});
