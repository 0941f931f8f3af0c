import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { allAlerts, renderRules } from '../../core/metrics/alerts';
import { CASES, type Case, LONG_CASES } from '../support/alert-cases';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';

const FILE = join(__dirname, '..', '..', 'deploy', 'prometheus', 'chronawflow.rules.yml');

const severityOf = new Map(allAlerts().map(({ name, severity }) => [name, severity]));

function promtoolTest({ alert, series, at, fires, it }: Case, interval: string) {
  const labels = { alertname: alert, alertstate: 'firing', severity: severityOf.get(alert) ?? '', ...fires };
  const text = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return {
    name: `${alert}: ${it}`,
    interval,
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: `ALERTS{alertname="${alert}",alertstate="firing"}`,
        eval_time: at,
        exp_samples: fires === undefined ? [] : [{ labels: `ALERTS{${text.join(',')}}`, value: 1 }],
      },
    ],
  };
}

const testFile = (rules: string, interval: string, cases: readonly Case[]) =>
  stringify({
    rule_files: [rules],
    evaluation_interval: interval,
    tests: cases.map((one) => promtoolTest(one, interval)),
  });

async function promtool(...args: string[]): Promise<string> {
  const file = process.env.CHRONAWFLOW_PROMTOOL;
  if (!file) throw new Error('CHRONAWFLOW_PROMTOOL is not set: eval "$(node scripts/bootstrap.mjs --print)"');
  const { stdout } = await promisify(execFile)(file, args).catch((error) => {
    throw new Error(`${error.stdout}\n${error.stderr}`, { cause: error });
  });
  return stdout;
}

test('the rules file is what the definitions render', async () => {
  expect(await readFile(FILE, 'utf8')).toBe(renderRules());
});

test('Prometheus understands the rules and its own configuration', async () => {
  expect(await promtool('check', 'rules', FILE)).toContain('SUCCESS');
  const config = join(FILE, '..', 'prometheus.yml');
  expect(await promtool('check', 'config', config)).toContain('SUCCESS');
});

test('every alert fires on one side of its threshold and is silent on the other', async () => {
  const directory = await throwawayDirectory('alerts');
  try {
    for (const [interval, cases] of [
      ['1m', CASES],
      ['30m', LONG_CASES],
    ] as const) {
      const file = join(directory, `every-${interval}.yml`);
      await writeFile(file, testFile(FILE, interval, cases));
      expect(await promtool('test', 'rules', file)).toContain('SUCCESS');
    }
  } finally {
    await removeDirectory(directory);
  }
  const tried = new Set([...CASES, ...LONG_CASES].map(({ alert }) => alert));
  expect([...severityOf.keys()].filter((name) => !tried.has(name))).toEqual([]);
});

test('a firing alert needs its threshold: a rule that is broken fails the test', async () => {
  const directory = await throwawayDirectory('alerts');
  try {
    const rules = join(directory, 'rules.yml');
    const file = join(directory, 'tests.yml');
    await writeFile(rules, renderRules().replaceAll('> 1000', '> 5000'));
    const cases = CASES.filter(({ alert }) => alert === 'ChronawflowQueueDeep');
    await writeFile(file, testFile(rules, '1m', cases));
    await expect(promtool('test', 'rules', file)).rejects.toThrow('FAILED');
  } finally {
    await removeDirectory(directory);
  }
});

test('an objective that is none is refused', () => {
  expect(() => renderRules({ availability: 99.9 })).toThrow(/between 0 and 1/);
});
