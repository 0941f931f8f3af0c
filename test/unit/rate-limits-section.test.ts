import { ConfigInvalidError, parseConfig } from '../../config';

const REST = `
platform: { database: { host: h, database: d, user: u } }
application:
  database: { host: h, database: d, user: u }
  backup: { stanza: s, configFile: c }
tenancy: { table: public.tenants }
rateLimits:
`;

const parse = (section: string) =>
  parseConfig(REST + section, { file: '/etc/chronawflow.yaml', env: {} }).rateLimits;

function problemsOf(section: string): readonly string[] {
  try {
    parse(section);
  } catch (error) {
    if (error instanceof ConfigInvalidError) return error.problems;
    throw error;
  }
  return [];
}

test('durations are milliseconds, and what is not given has its default', () => {
  expect(parse('  rule: { kind: sliding-window, limit: 100, window: 1m }')).toEqual({
    rule: { kind: 'sliding-window', limit: 100, window: 60_000 },
    resources: {},
    costs: {},
    penalty: { base: 1_000, max: 900_000, halfLife: 600_000, after: Number.MAX_SAFE_INTEGER },
    maxTenants: 100_000,
    poll: 5_000,
    leaseWait: 250,
    leaseTimeout: 400,
  });
});

const RULE = '  rule: { kind: fixed-window, limit: 5, window: 1s }\n';

// The section's first line is the eighth of the file.
test.each([
  ['a rule is missing', '  costs: {}', 'rateLimits.rule: ', 'line 8'],
  [
    'nonsense in a rule',
    '  rule:\n    kind: fixed-window\n    limit: -1\n    window: 1s',
    'rateLimits.rule.limit: ',
    'line 10',
  ],
  ['a kind that does not exist', '  rule:\n    kind: leaky', 'rateLimits.rule.kind: ', 'line 9'],
  [
    'a misspelt key',
    `${RULE}  resuorces: {}`,
    "unknown key 'resuorces'; did you mean 'resources'?",
    'line 9',
  ],
  [
    'a resource that cannot be global',
    `${RULE}  resources:\n    export:\n      { kind: token-bucket, capacity: 1, refillPerSecond: 9, global: { localShare: 1 } }`,
    'rateLimits.resources.export.refillPerSecond: a global bucket takes at least 1 s to fill',
    'line 11',
  ],
])('%s is an error with its place', (_, section, text, line) => {
  const [problem] = problemsOf(section);
  expect(problem).toContain(text);
  expect(problem).toContain(`(${line})`);
});
