import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultDrivers, hostDrivers } from '../../../core/chaos';

const page = readFileSync(join(__dirname, '../../../docs/resilience/chaos.md'), 'utf8');
const database = { host: '127.0.0.1', port: 1, database: 'x', user: 'x', ssl: false };
const nobody = {
  makeReady: async () => undefined,
  start: async () => undefined,
  end: async () => undefined,
  running: async () => 0,
};
const drivers: FaultDrivers = hostDrivers({ control: {}, platform: { database } }, nobody);

/** The rows of the table of faults by driver: target, after a power loss, when every process of Chronawflow is dead. */
const rows = new Map(
  page
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, names = '', kind = '']) => /^`\w+\.[\w-]+`/.test(names) && /^`[\w-]+`$/.test(kind))
    .flatMap(([, names = '', kind = '', power = '', dead = '']) => {
      const [prefix = ''] = /^`\w+/.exec(names) ?? [];
      return [...names.matchAll(/`(\w*)(\.[\w-]+)`/g)].map(
        ([, own, name]) => [`${own || prefix.slice(1)}${name}`, { kind, power, dead }] as const,
      );
    }),
);

test('the page says of every fault what survives a power loss, and of none that there is not', () => {
  expect([...rows.keys()].sort()).toEqual([...drivers.names].sort());
});

test.each(drivers.all)('the page says of $name what its driver says', (driver) => {
  const row = rows.get(driver.name);
  expect(row?.kind).toBe(`\`${driver.targetKind}\``);
  expect(row?.power).toMatch(driver.afterPowerLoss === 'gone' ? /^gone$/ : /the reaper/);
  const bounds = {
    'its own process': /by itself/,
    'its rule': /by itself/,
    'the server': /server|Temporal/,
    'the reaper': /the boot unit/,
  };
  expect(row?.dead).toMatch(bounds[driver.boundedBy]);
});
