import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { allAlerts, renderRules } from '../../core/metrics/alerts';

const root = join(__dirname, '..', '..');

/** As web pages of repositories make them: lower case, no punctuation but hyphens and underscores, spaces as hyphens. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
const anchorsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));

const rulesFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({ alert: z.string().optional(), annotations: z.record(z.string(), z.string()).optional() }),
      ),
    }),
  ),
});

test('every alert links to its runbook: a file, and a heading in it', () => {
  const rules = rulesFile
    .parse(parse(renderRules()))
    .groups.flatMap(({ rules }) => rules)
    .filter(({ alert }) => alert !== undefined);
  expect(rules).toHaveLength(allAlerts().length);
  const broken = rules.filter(({ alert = '', annotations }) => {
    const [file = '', heading = ''] = (annotations?.runbook_url ?? '').split('#');
    const path = join(root, file);
    return heading !== alert.toLowerCase() || !existsSync(path) || !anchorsOf(path).includes(heading);
  });
  expect(broken.map(({ alert }) => alert)).toEqual([]);
});

test('every runbook says what it means, where to look, what to do and when it is over', () => {
  const page = readFileSync(join(root, 'docs/incident-response/alerts.md'), 'utf8');
  const runbooks = page.split(/^## /m).slice(1);
  const incomplete = runbooks.filter((text) => !/\*\*Means.*\*\*Look\*\*.*\*\*Do\*\*.*\*\*Over/s.test(text));
  expect(incomplete).toEqual([]);
  expect(runbooks.length).toBeGreaterThanOrEqual(allAlerts().length);
});

test('every level of degradation has a runbook', () => {
  const levels = anchorsOf(join(root, 'docs/incident-response/levels.md'));
  for (const level of ['normal', 'reduced', 'limited', 'core-only', 'read-only'])
    expect(levels).toContain(level);
});

test('links within the runbooks lead somewhere', () => {
  const folder = join(root, 'docs/incident-response');
  const broken = readdirSync(folder).flatMap((name) => {
    const file = join(folder, name);
    return [...readFileSync(file, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      const [path = '', heading] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(target)) return [`${name}: ${link}`];
      return heading === undefined || anchorsOf(target).includes(heading) ? [] : [`${name}: ${link}`];
    });
  });
  expect(broken).toEqual([]);
});
