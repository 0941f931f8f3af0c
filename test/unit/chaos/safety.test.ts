import fc from 'fast-check';
import { refusals, type SafetyFacts, type SafetyPlan } from '../../../core/chaos';
import { parsePidFile } from '../../../core/chaos/drivers/process/unit';
import { argumentsOf } from '../../../core/chaos/experiment/provider/process-provider';
import { largestValue } from '../../../core/chaos/safety/metric-page.pure';
import { isAllowedAddress, isLinkLocal } from '../../../core/chaos/targets/address.pure';

const calm: SafetyFacts = {
  running: [],
  degraded: [],
  disturbed: [],
  conditions: [],
  tenants: 100,
  unknownTenants: [],
  residual: 0,
};
const small: SafetyPlan = {
  faults: [{ target: 'a', resource: 'process a', group: 'workers' }],
  groupSizes: { workers: 4 },
  tenants: ['t1'],
  maxInstances: 0.5,
  maxTenants: 0.5,
  durationMs: 1_000,
  maxDurationMs: 60_000,
};
const rules = (plan: Partial<SafetyPlan>, facts: Partial<SafetyFacts> = {}) =>
  refusals({ ...small, ...plan }, { ...calm, ...facts }).map(({ rule }) => rule);

test('a small experiment on a calm platform may start', () => {
  expect(rules({})).toEqual([]);
});

test.each([
  [{}, { running: [{ kind: 'restore', count: 1 }] }, 'restore-running'],
  [{}, { running: [{ kind: 'failover', count: 1 }] }, 'failover-running'],
  [{}, { degraded: ['platform (essential)'] }, 'degraded'],
  [{}, { residual: 1 }, 'residual'],
  [{}, { conditions: ['the error budget is spent'] }, 'condition'],
  [{}, { disturbed: ['process a'] }, 'overlap'],
  [{ durationMs: 60_001 }, {}, 'duration'],
  [{ groupSizes: { workers: 1 } }, {}, 'share'],
  [{ tenants: ['t1', 't2'] }, { tenants: 3 }, 'share'],
  [{}, { unknownTenants: ['t9'] }, 'tenant'],
] as const)('it is refused: %j %j', (plan, facts, rule) => {
  expect(rules(plan, facts)).toContain(rule);
});

test('no more of a group is ever disturbed than its share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 20 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (size, count, maxInstances) => {
        const faults = Array.from({ length: count }, (_, at) => ({
          target: `t${at}`,
          resource: `r${at}`,
          group: 'g',
        }));
        const may = !rules({ faults, groupSizes: { g: size }, maxInstances }).includes('share');
        expect(may).toBe(count / size <= maxInstances);
      },
    ),
  );
});

test.each([
  ['169.254.169.254', true],
  ['169.254.0.1', true],
  ['[fe80::1%eth0]', true],
  ['::ffff:169.254.169.254', true],
  ['fd00:ec2::254', true],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['::1', false],
  ['example.com', false],
])('%s is link-local: %p', (address, expected) => {
  expect(isLinkLocal(address)).toBe(expected);
});

test.each([
  ['http://db:8474/proxies/x', 'GET', true],
  ['http://db:8474/proxies', 'GET', true],
  ['http://db:8474/proxiesx', 'GET', false],
  ['http://db:8474/proxies/../admin', 'GET', false],
  ['http://db:8475/proxies', 'GET', false],
  ['https://db:8474/proxies', 'GET', false],
  ['http://db:8474/proxies', 'DELETE', false],
  ['http://user:pass@db:8474/proxies', 'GET', false],
])('%s by %s is allowed: %p', (url, method, expected) => {
  expect(isAllowedAddress(new URL(url), method, [{ url: 'http://db:8474/proxies', methods: ['GET'] }])).toBe(
    expected,
  );
});

test('the largest series with the labels counts', () => {
  const text = '# HELP x y\nx{a="1",b="q\\"q"} 5\nx{a="1"} 7 1700000000\nx{a="2"} 9\nxy 11\nx_inf +Inf\n';
  expect(largestValue(text, 'x', { a: '1' })).toBe(7);
  expect(largestValue(text, 'x', { b: 'q"q' })).toBe(5);
  expect(largestValue(text, 'x', {})).toBe(9);
  expect(largestValue(text, 'x_inf', {})).toBe(Number.POSITIVE_INFINITY);
  expect(largestValue(text, 'nothing', {})).toBeUndefined();
});

test.each([
  ['123\n', { pid: 123 }],
  ['123\n/data\n', { pid: 123 }],
  ['{"pid": 7, "identity": "99", "startedAt": "x"}', { pid: 7, identity: '99' }],
  ['', undefined],
  ['0\n', undefined],
  ['-5', undefined],
  ['{"pid": -7}', undefined],
  ['{', undefined],
])('a PID file %j names %j', (text, expected) => {
  const parsed = parsePidFile(text);
  expect(parsed === undefined ? undefined : { ...parsed, startedAt: undefined }).toEqual(
    expected && { ...expected, startedAt: undefined },
  );
});

test('arguments of programs are taken as lists, mappings and texts', () => {
  expect(argumentsOf(['-n', 5])).toEqual(['-n', '5']);
  expect(argumentsOf({ '-n': 5, '--quiet': null })).toEqual(['-n', '5', '--quiet']);
  expect(argumentsOf(`-c "a \\"b\\"" 'c d' e;f`)).toEqual(['-c', 'a "b"', 'c d', 'e;f']);
});
