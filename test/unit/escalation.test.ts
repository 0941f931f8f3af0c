import fc from 'fast-check';
import { ConfigInvalidError, parseConfig } from '../../config';
import {
  escalationId,
  escalationWorkflowId,
  type PlanRules,
  parseEscalationInput,
  planSteps,
  readAlertmanagerWebhook,
  silences,
} from '../../core/escalation';

const level = fc.integer({ min: 1, max: 5 });
const plans: fc.Arbitrary<PlanRules> = fc.record({
  levels: fc.uniqueArray(
    fc.record({ level, notify: fc.array(fc.constant({}), { minLength: 1, maxLength: 3 }) }),
    {
      selector: (one) => one.level,
    },
  ),
  severities: fc
    .tuple(level, level, fc.integer({ min: 1, max: 100_000 }))
    .map(([a, b, after]) => ({ critical: { first: Math.min(a, b), highest: Math.max(a, b), after } })),
  repeats: fc.integer({ min: 0, max: 5 }),
});

describe('whom an alert goes to', () => {
  test('upwards through the levels of its severity, then the last one again', () => {
    fc.assert(
      fc.property(plans, (rules) => {
        const steps = planSteps(rules, 'critical');
        const { first = 0, highest = 0, after } = rules.severities.critical ?? {};
        const reached = rules.levels.map((one) => one.level).filter((one) => one >= first && one <= highest);
        const distinct = [...new Set(steps.map((step) => step.level))];
        expect(distinct).toEqual([...reached].sort());
        expect(steps.map((step) => step.level)).toEqual([...steps.map((step) => step.level)].sort());
        expect(steps).toHaveLength(reached.length === 0 ? 0 : reached.length + rules.repeats);
        for (const step of steps) expect(step).toMatchObject({ waitMs: after, channels: expect.any(Number) });
      }),
    );
  });

  test('nobody, for a severity that is not configured', () => {
    const rules = { levels: [{ level: 1, notify: [{}] }], severities: {}, repeats: 3 };
    for (const severity of ['info', 'constructor', '__proto__'])
      expect(planSteps(rules, severity)).toEqual([]);
  });
});

test('a silence is about an alert that has all of its labels, and one without labels about none', () => {
  const labels = fc.dictionary(fc.constantFrom('alertname', 'service', 'tenant'), fc.constantFrom('a', 'b'));
  fc.assert(
    fc.property(labels, labels, (silence, alert) => {
      const all = Object.keys(silence).every((name) => silence[name] === alert[name]);
      expect(silences(silence, alert)).toBe(Object.keys(silence).length > 0 && all);
    }),
  );
});

describe('Alertmanager’s webhook', () => {
  const alert = {
    status: 'firing',
    fingerprint: 'f1',
    labels: { alertname: 'Down', severity: 'critical' },
    annotations: { summary: 'it is down', runbook_url: 'docs/x.md#y' },
    startsAt: '2026-11-26T00:00:00Z',
  };

  test('says which alerts fire and which are over', () => {
    const told = readAlertmanagerWebhook({
      version: '4',
      status: 'firing',
      alerts: [
        alert,
        { ...alert, status: 'resolved', fingerprint: 'f2', labels: { alertname: 'Bare' }, annotations: {} },
      ],
    });
    expect(told).toEqual([
      {
        firing: true,
        alert: {
          fingerprint: 'f1',
          severity: 'critical',
          summary: 'it is down',
          runbook: 'docs/x.md#y',
          labels: alert.labels,
          source: 'alertmanager',
        },
      },
      {
        firing: false,
        alert: {
          fingerprint: 'f2',
          severity: 'none',
          summary: 'Bare',
          labels: { alertname: 'Bare' },
          source: 'alertmanager',
        },
      },
    ]);
  });

  test('is refused when it is anything else, and never throws another error', () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        expect(() => readAlertmanagerWebhook(body)).toThrow(
          expect.objectContaining({ code: 'INVALID_INPUT' }),
        );
      }),
    );
    const bad = { version: '4', alerts: [{ ...alert, labels: 'none' }] };
    expect(() => readAlertmanagerWebhook(bad)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  test('is bounded, however long its texts are', () => {
    const labels = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`l${n}`, 'x'.repeat(5_000)]));
    const [told] = readAlertmanagerWebhook({
      version: '4',
      alerts: [
        { ...alert, labels: { ...alert.labels, ...labels }, annotations: { summary: 'y'.repeat(100_000) } },
      ],
    });
    expect(JSON.stringify(told).length).toBeLessThan(30_000);
    expect(parseEscalationInput(told?.alert)).toEqual(told?.alert);
  });
});

test('one alert has one workflow, and each of its runs an escalation of its own', () => {
  expect(escalationWorkflowId('a/b')).toBe('escalation/a%2Fb');
  expect(escalationId('escalation/x', 'r1')).toMatch(/^e[0-9a-f]{12}$/);
  expect(escalationId('escalation/x', 'r1')).not.toBe(escalationId('escalation/x', 'r2'));
});

describe('the section `escalation`', () => {
  const config = (section: string) =>
    parseConfig(
      [
        'platform: { database: { host: h, database: d, user: u } }',
        'application: { database: { host: h, database: d, user: u }, backup: { stanza: s, configFile: f } }',
        'tenancy: { table: public.tenants }',
        section,
      ].join('\n'),
      { file: '/etc/chronawflow.yaml', env: {} },
    ).escalation;

  test('has times and levels by default', () => {
    expect(config('')).toMatchObject({
      severities: {
        critical: { first: 1, highest: 5, after: 300_000 },
        warning: { first: 1, highest: 2, after: 1_800_000 },
      },
    });
  });

  test.each([
    ['levels: [{ level: 6, notify: [{ kind: email, to: [a@b.example] }] }]', 'levels.0.level'],
    ['levels: [{ level: 1, notify: [] }]', 'levels.0.notify'],
    [
      'levels: [{ level: 1, notify: [{ kind: email, to: [a@b.example] }] }]',
      'an e-mail needs `escalation.smtp`',
    ],
    ['levels: [{ level: 1, notify: [{ kind: webhook, url: "ftp://x" }] }]', 'levels.0.notify.0.url'],
    [
      'levels: [{ level: 1, notify: [{ kind: webhook, url: "http://x.example" }] }, { level: 1, notify: [{ kind: webhook, url: "http://x.example" }] }]',
      'level 1 is there twice',
    ],
    ['severities: { critical: { after: 5m, first: 3, highest: 2 } }', 'is below `first`'],
    ['receiver: { token: short }', 'a token has at least 16 characters'],
  ])('is refused when it makes no sense: %s', (section, message) => {
    const refused = () => config(`escalation: { ${section} }`);
    expect(refused).toThrow(ConfigInvalidError);
    expect(refused).toThrow(message);
    expect(refused).toThrow('(line 4)');
  });
});
