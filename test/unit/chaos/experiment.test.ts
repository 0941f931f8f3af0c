import fc from 'fast-check';
import { ExperimentInvalidError, readExperiment } from '../../../core/chaos';

function problems(text: string): string[] {
  try {
    readExperiment(text, 'x.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof ExperimentInvalidError)) throw error;
    return error.problems.map(({ path, reason, line, column }) => `${path}@${line}:${column} ${reason}`);
  }
}

const http = { type: 'http', url: 'http://127.0.0.1:1' };
const valid = {
  version: '1.0.0',
  title: 'What is the impact of an expired certificate on our application chain?',
  description: 'If a certificate expires, we should gracefully deal with the issue.',
  tags: ['tls'],
  configuration: { port: 8443, host: { type: 'env', key: 'HOST', default: 'localhost' } },
  secrets: { web: { token: { type: 'env', key: 'TOKEN' } } },
  'steady-state-hypothesis': {
    title: 'Application responds',
    probes: [{ type: 'probe', name: 'the-service-must-be-running', tolerance: true, provider: http }],
  },
  method: [
    { type: 'action', name: 'swap', provider: { type: 'process', path: 'cp', arguments: ['a', 'b'] } },
    { ref: 'the-service-must-be-running' },
  ],
  rollbacks: [{ type: 'action', name: 'back', background: true, pauses: { after: 1 }, provider: http }],
};

test('JSON and YAML are read alike, and references stand for the activity they name', () => {
  const json = readExperiment(JSON.stringify(valid, undefined, 2));
  expect(json.method.map(({ name }) => name)).toEqual(['swap', 'the-service-must-be-running']);
  expect(json.secrets).toEqual({ web: { token: 'TOKEN' } });
  expect(json.rollbacks[0]).toMatchObject({ background: true, pauses: { after: 1 } });
  const yaml = readExperiment('title: t\ndescription: d\nmethod: []\n');
  expect(yaml).toMatchObject({ title: 't', hypothesis: undefined, chaos: { faults: [], duration: 10_000 } });
});

test.each([
  [
    'title: t\nmethod:\n  - type: action\n    name: a\n    provider: { type: ssh }\n',
    /method\.0\.provider.*@5:.*unknown provider 'ssh'/,
  ],
  [
    'title: t\nmethod:\n  - type: action\n    name: a\n    provider: { type: python, module: os, func: remove }\n',
    /method\.0\.provider@5:.*python. is never run/,
  ],
  ['title: t\nmethod:\n  - type: load\n    name: a\n', /method\.0.*@3:.*not 'load'/],
  ['title: t\nmethod:\n  - type: action\n    provider: { type: http, url: "x" }\n', /method\.0\.name@/],
  ['title: t\nmethod:\n  - ref: nobody\n', /method\.0\.ref@3:.*there is no activity 'nobody'/],
  ['description: d\n', /title@/],
  ['title: t\nsecrets: { a: { b: literal } }\n', /secrets\.a\.b@2:.*comes from the environment/],
  ['title: t\nsecrets: { a: { b: { type: vault, path: x } } }\n', /secrets\.a\.b.*@2:/],
  [
    'title: t\nsteady-state-hypothesis:\n  title: h\n  probes:\n    - type: probe\n      name: p\n      provider: { type: http, url: x }\n',
    /probes\.0\.tolerance@.*needs a tolerance/,
  ],
  [
    'title: t\nsteady-state-hypothesis:\n  title: h\n  probes:\n    - type: probe\n      name: p\n      tolerance: { type: regex, pattern: "(" }\n      provider: { type: http, url: x }\n',
    /tolerance.*pattern@7:.*regular expression/,
  ],
  [
    'title: t\nsteady-state-hypothesis:\n  title: h\n  probes:\n    - type: probe\n      name: p\n      tolerance: { type: jsonpath, path: "$[" }\n      provider: { type: http, url: x }\n',
    /tolerance.*path@7:.*JSON path/,
  ],
  ['title: t\nextensions:\n  - name: chronawflow\n    fautls: []\n', /extensions\.0@3:.*fautls/],
  [
    'title: t\nextensions:\n  - name: chronawflow\n    duration: soon\n',
    /extensions\.0\.duration@4:.*no duration/,
  ],
  ['title: t\ncontrols: [{ name: x, provider: { type: python } }]\n', /controls@2:.*not run/],
  ['title: [unclosed\n', /@\d+:\d+ /],
  ['title: a\ntitle: b\n', /@2:1 .*unique/],
])('what is wrong is named with position and reason: %#', (text, expected) => {
  expect(problems(text).join('\n')).toMatch(expected);
});

test('other extensions and unknown keys are left alone', () => {
  expect(
    problems(
      'title: t\nextensions: [{ name: other, anything: [1] }]\ncontributions: { reliability: high }\n',
    ),
  ).toEqual([]);
});

test('whatever the text, it is an experiment or a list of problems', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.string().map((text) => `title: ${text}\nmethod: [${text}]`),
      ),
      (text) => {
        expect(Array.isArray(problems(text))).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test('whatever is broken in a valid experiment, each problem has its place', () => {
  const places = [
    'title',
    'method',
    'rollbacks',
    'secrets',
    'extensions',
    'steady-state-hypothesis',
  ] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...places),
      fc.constantFrom<unknown>(7, null, true, [7], { a: 7 }),
      (place, value) => {
        const text = JSON.stringify({ ...valid, [place]: value }, undefined, 1);
        for (const problem of problems(text))
          expect(problem).toMatch(new RegExp(`^${place}.*@\\d+:\\d+ \\S`));
      },
    ),
  );
});
