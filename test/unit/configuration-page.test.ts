import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema } from '../../config/schema';

const page = readFileSync(join(__dirname, '../../docs/operations/configuration.md'), 'utf8');

/** Sections that the page leaves to their own pages from here on. */
const ELSEWHERE = [
  'protection.breaker.',
  'protection.services.',
  'protection.registry.',
  'protection.shared.',
  'rateLimits.rule.',
  'rateLimits.resources.',
  'degradation.levels.',
  'degradation.signals.',
];

const node = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
});

interface Key {
  readonly path: string;
  readonly fallback: unknown;
}

function keysOf(schema: unknown, path = ''): Key[] {
  const parsed = node.safeParse(schema);
  if (!parsed.success) return [];
  const { properties = {}, additionalProperties, anyOf = [] } = parsed.data;
  return [
    ...Object.entries(properties).flatMap(([name, value]) => [
      { path: `${path}${name}`, fallback: node.safeParse(value).data?.default },
      ...keysOf(value, `${path}${name}.`),
    ]),
    ...keysOf(additionalProperties, path),
    ...anyOf.flatMap((one) => keysOf(one, path)),
  ].filter((key) => !ELSEWHERE.some((prefix) => key.path.startsWith(prefix)));
}

const keys = keysOf(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }));

test('every key of the configuration is on its page', () => {
  expect(keys.length).toBeGreaterThan(60);
  const missing = keys.filter(({ path }) => !page.includes(`\`${path.split('.').at(-1)}\``));
  // A section stands with its parent's name before it, such as `platform.database`.
  expect(missing.filter(({ path }) => !page.includes(`\`${path}\``)).map(({ path }) => path)).toEqual([]);
});

test('the defaults on the page are the schema’s', () => {
  // By section: several have a `lease`.
  const rows = new Map(
    page.split(/^## /m).flatMap((section) => {
      const [heading = ''] = section.split('\n');
      const tops = [...heading.matchAll(/`(\w+)`/g)].map(([, top]) => top);
      return [...section.matchAll(/^\| `([\w.]+)` \| `([^`]+)` \|/gm)].flatMap(([, key, value = '']) =>
        tops.map((top) => [`${top}/${key}`, value] as const),
      );
    }),
  );
  expect(rows.size).toBeGreaterThan(30);
  const wrong = keys.filter(({ path, fallback }) => {
    const [top, ...steps] = path.split('.');
    const shown = rows.get(`${top}/${steps.join('.')}`) ?? rows.get(`${top}/${steps.at(-1)}`);
    return (
      shown !== undefined &&
      ['string', 'number', 'boolean'].includes(typeof fallback) &&
      shown !== String(fallback)
    );
  });
  expect(wrong).toEqual([]);
});
