import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultDrivers, hostDrivers, readExperiment } from '../../../core/chaos';
import { withinTolerance } from '../../../core/chaos/experiment/tolerance.pure';

const directory = join(__dirname, '..', '..', '..', 'examples', 'experiments');
const files = readdirSync(directory).filter((file) => file.endsWith('.yaml'));
const database = { host: '127.0.0.1', port: 1, database: 'x', user: 'x', ssl: false };
const drivers: FaultDrivers = hostDrivers(
  { control: {}, platform: { database } },
  { start: async () => undefined, end: async () => undefined, running: async () => 0 },
);
const read = (file: string) => readExperiment(readFileSync(join(directory, file), 'utf8'), file);

test('the catalogue has at least 20 experiments and every family of faults', () => {
  expect(files.length).toBeGreaterThanOrEqual(20);
  const used = new Set(
    files.flatMap((file) => read(file).chaos.faults.map(({ driver }) => driver.split('.')[0])),
  );
  const there = new Set(drivers.names.map((name) => name.split('.')[0]));
  expect([...there].filter((family) => !used.has(family))).toEqual([]);
});

test.each(files)('%s is valid, has a steady state and faults that exist', (file) => {
  const { hypothesis, chaos } = read(file);
  expect(hypothesis?.probes.length).toBeGreaterThan(0);
  expect(chaos.faults.length).toBeGreaterThan(0);
  for (const { driver, parameters } of chaos.faults)
    expect(drivers.get(driver).parse(parameters)).toBeDefined();
});

test('their looks at metrics see what they are for', () => {
  const judge = (file: string, name: string, body: string) => {
    const probe = read(file).hypothesis?.probes.find((one) => one.name === name);
    const tolerance = JSON.parse(JSON.stringify(probe?.tolerance));
    return withinTolerance(tolerance, { status: 200, body });
  };
  const breakers = (seconds: number) =>
    `# TYPE x gauge\nchronawflow_breaker_not_closed_seconds{service="tax"} ${seconds}\nchronawflow_breaker_not_closed_seconds{service="mail"} 0\n`;
  expect(judge('calls-fail.yaml', 'every breaker is closed', breakers(0))).toBe(true);
  expect(judge('calls-fail.yaml', 'every breaker is closed', breakers(4.5))).toBe(false);
  const objective = (missed: number) => `a 1\nchronawflow_recovery_objective_missed{tier="gold"} ${missed}\n`;
  expect(judge('archiving-broken.yaml', 'no objective is missed', objective(0))).toBe(true);
  expect(judge('archiving-broken.yaml', 'no objective is missed', objective(1))).toBe(false);
});
